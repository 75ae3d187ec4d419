# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     timeout: 60
#     quick: {size: 16}
#     browser: true
# ---

# %% [markdown]
# # Bilinear weights
# How does a point between two pixels share its value between them?
#
# **Objectives.** After this notebook you can write down the weights and say why they sum to one.
#
# **Prerequisites.** Straight lines.
#
# **Run time.** {{run_time}}

# %% tags=["parameters"]
size: int = 32  # points between the two pixels
seed: int = 0  # of the random values
sharpness: float = 1.0  # exponent of the weights; 1 is bilinear

# %%
import ipywidgets as W
import matplotlib.pyplot as plt
import numpy as np
from posekit_course import checks
from posekit_course.live import live

from posekit.sweeps.recorded import record

t = np.linspace(0, 1, size)
left, right = np.random.default_rng(seed).random(2)

# %% [markdown]
# ## Derive
# The nearer pixel gets the larger share: $w_0 = 1 - t$ and $w_1 = t$.

# %% tags=["derive"]
derived = (1 - t) * left + t * right

# %% tags=["call"]
called = np.interp(t, [0, 1], [left, right])

# %% tags=["equal", "nbval-check-output"]
np.testing.assert_allclose(derived, called, atol=1e-12)
print("equal")


# %% [markdown]
# ## Explore


# %% tags=["explore"] alt="Two bars: the shares of the left and of the right pixel."
def render_weights(t: float, sharpness: float) -> plt.Figure:
    """The two weights as bars."""
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.bar(["left", "right"], [(1 - t) ** sharpness, t**sharpness])
    axes.set_ylim(0, 1)
    return figure


position = W.FloatSlider(0.25, min=0, max=1, step=0.05)
panel = live(render_weights, t=position, sharpness=W.IntSlider(1, min=1, max=4))
panel

# %% tags=["move"]
panel.move()

# %% [markdown] tags=["predict"]
# ## Predict, then look
# Before you run the next cell: where do both pixels have the same share?

# %%
print(f"t = {t[np.argmin(abs((1 - t) - t))]:.2f}")

# %% tags=["experiment"]
sums = (1 - t) ** sharpness + t**sharpness
record(worst_sum=float(abs(sums - 1).max()), points=size)

# %% [markdown]
# ## Exercise


# %% tags=["exercise"]
def weights(t):
    """The shares (w0, w1) of the two pixels for a point at ``t`` in [0, 1]."""
    # SOLUTION
    # STUB: # The nearer pixel gets the larger share.
    w1 = t
    return 1 - w1, w1
    # END SOLUTION


# %% tags=["check"]
if not np.allclose(np.sum(weights(t), axis=0), 1):
    raise checks.CheckFailed("The two shares do not sum to one.")

# %% tags=["expected"] alt="Two straight lines that cross in the middle: one falls, one rises."
plt.figure(figsize=(3, 2))
plt.plot(t, np.transpose(weights(t)))
plt.show()

# %% [markdown]
# ## Take-away
# Shares sum to one, so a constant stays a constant.
#
# ## What the paper reports
# Nothing about one dimension.
