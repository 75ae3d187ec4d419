"""Checkers for the exercises of the notebooks: a tick, or one sentence that names the mistake.

    from posekit_course import checks
    checks.check_pixel_grid(pixel_grid)

notebook  checker                the exercise
00        check_seen_share       seen_share(known, body): how much of the body one photograph shows
00        check_wrapped          wrapped(T, column, row, mask): the atlas around the target pose
00        check_body_error       body_error(image, truth, mask): the mean error on the body
01        check_pixel_grid       pixel_grid(h, w): the centres of the pixels in [-1, 1]
01        check_iuv_to_atlas     iuv_to_atlas(part, u, v, table): from charts to the atlas
01        check_mirror_map       mirror_map(uv, mask, mirror): the map of the flipped photograph
02        check_splat_by_hand    splat_by_hand(values, positions, size, confidence): the bilinear scatter
02        check_backward_warp    backward_warp(image, grid): the bilinear lookup
02        check_to_backward      to_backward(positions, size): a forward map turned round
03        check_partial_convolution  partial_convolution(x, mask, weight, bias): the gate's ancestor, by a fixed rule
03        check_target_texel_loss  target_texel_loss(T, N, M, mask): l1 over the texels that the target shows
03        check_coordinate_texture  coordinate_texture(M, mask, size): pixel positions, scattered
04        check_skip_by_E        skip_by_E(activations, E, mask): the skip warped by E
04        check_limb_map         limb_map(source, target, source_half, target_half): the affine map of a limb
04        check_fuse             fuse(moved, masks): the mean over the parts that cover a pixel
04        check_source_part      source_part(in_source, in_target): which limb stands in for which
05        check_best_matches     best_matches(C): C where both pixels prefer each other
05        check_assignment       assignment(C, tau): a softmax for every target pixel
05        check_undoing_flow     undoing_flow(A, size): the target of the affine task
05        check_absolute_flow    absolute(displacement): from pixels moved to positions
06        check_lsgan            lsgan(real, fake): the losses of D and G
06        check_paired_interval  paired_interval(a, b, person, draws): the interval of a mean difference
06        check_ema              ema(weights, decay): the moving average of weights
07        check_chart_texel      chart_texel(part, U, V, side): where a pixel belongs among 24 tiles
07        check_multi_view_loss  multi_view_loss(completed, charts, known): every view says what its texels are
07        check_one_hot_iuv      one_hot_iuv(part, chart): a plane for each part, then U and V
08        check_bone_map         bone_map(a, b, size, width): a line with round ends
08        check_winning_position  winning_position(scores, positions): the part that wins says where
08        check_pasted           pasted(person, kept, W, mask): clothes without learning
09        check_barycentric      barycentric(p, a, b, c): how much of each corner
09        check_four_targets     four_targets(cosines): near and far, by quantiles
09        check_mirrored         mirrored(texture, known, twin, there): the other half
10        check_to_photograph    to_photograph(points, h, w, side): from the square back to the photograph
10        check_pck              pck(guess, truth, seen, torso): the share of joints that are near enough
10        check_iou              iou(a, b): how far two outlines agree
11        check_l1_slope         l1_slope(x, answers): every answer pulls alike
11        check_gram             gram(features): which features occur together
11        check_nearest          nearest(made, truth, reach): l1 that looks around
11        check_ssim             ssim_by_hand(x, y, means): Wang's fraction over windows
11        check_judgements       needed(margin, share, z): how many answers a study needs

A checker runs the function on a small example, whose answer it knows, together with the answers of the classic
mistakes; it raises CheckFailed.  A stub raises StillOpen, which passes through.  Both are shown as one line.
"""

from posekit_course.checks.affine_flow import (
    check_absolute_flow,
    check_assignment,
    check_best_matches,
    check_undoing_flow,
)
from posekit_course.checks.color_vs_coordinate import (
    check_coordinate_texture,
    check_partial_convolution,
    check_target_texel_loss,
)
from posekit_course.checks.deformable_skips import check_fuse, check_limb_map, check_skip_by_E, check_source_part
from posekit_course.checks.dense_pose_transfer import check_chart_texel, check_multi_view_loss, check_one_hot_iuv
from posekit_course.checks.densepose_uv import check_iuv_to_atlas, check_mirror_map, check_pixel_grid
from posekit_course.checks.face_resynthesis import check_barycentric, check_four_targets, check_mirrored
from posekit_course.checks.full_training import check_ema, check_lsgan, check_paired_interval
from posekit_course.checks.garments_and_keypoints import check_bone_map, check_pasted, check_winning_position
from posekit_course.checks.judging import CheckFailed, StillOpen
from posekit_course.checks.losses_and_metrics import (
    check_gram,
    check_judgements,
    check_l1_slope,
    check_nearest,
    check_ssim,
)
from posekit_course.checks.scatter_rasterization import check_backward_warp, check_splat_by_hand, check_to_backward
from posekit_course.checks.start_here import check_body_error, check_seen_share, check_wrapped
from posekit_course.checks.your_own_photo import check_iou, check_pck, check_to_photograph

__all__ = [
    "CheckFailed",
    "StillOpen",
    "check_absolute_flow",
    "check_assignment",
    "check_backward_warp",
    "check_barycentric",
    "check_best_matches",
    "check_body_error",
    "check_bone_map",
    "check_chart_texel",
    "check_coordinate_texture",
    "check_ema",
    "check_four_targets",
    "check_fuse",
    "check_gram",
    "check_iou",
    "check_iuv_to_atlas",
    "check_judgements",
    "check_l1_slope",
    "check_limb_map",
    "check_lsgan",
    "check_mirror_map",
    "check_mirrored",
    "check_multi_view_loss",
    "check_nearest",
    "check_one_hot_iuv",
    "check_paired_interval",
    "check_partial_convolution",
    "check_pasted",
    "check_pck",
    "check_pixel_grid",
    "check_seen_share",
    "check_skip_by_E",
    "check_source_part",
    "check_splat_by_hand",
    "check_ssim",
    "check_target_texel_loss",
    "check_to_backward",
    "check_to_photograph",
    "check_undoing_flow",
    "check_winning_position",
    "check_wrapped",
]
