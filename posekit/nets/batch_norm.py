"""Batch normalisation whose batch is that of all processes.

PyTorch's SyncBatchNorm does this on GPUs only, and has to be put in after a network is built.
"""

import torch
from torch import Tensor, nn

from posekit.util.distributed import sum_over_processes, world_size


class BatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d``; in a distributed run, with the mean and the variance of the whole batch.

        mean = sum x / n,   var = sum (x - mean)^2 / n        sums and n over samples, pixels and processes
        y    = (x - mean) / sqrt(var + eps) * weight + bias

    Same parameters, buffers and results as PyTorch's.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or world_size() == 1:
            return super().forward(x)
        wide, channels = x.float(), (1, -1, 1, 1)
        here = torch.full((1,), x.numel() / x.shape[1], device=x.device)
        totals = sum_over_processes(torch.cat([wide.sum((0, 2, 3)), here]))
        n = totals[-1].detach()
        mean = totals[:-1] / n
        centred = wide - mean.view(channels)
        var = sum_over_processes(centred.square().sum((0, 2, 3))) / n
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * n / (n - 1), self.momentum)  # unbiased, as PyTorch keeps it
        y = centred * (var + self.eps).rsqrt().view(channels)
        return (y * self.weight.view(channels) + self.bias.view(channels)).to(x.dtype)
