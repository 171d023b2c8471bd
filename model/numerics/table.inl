// The table of a translation unit's kernels. Included inside its anonymous namespace, last.

constexpr Kernels kTable{.multiply = multiply,
                         .pack_rows = pack_rows,
                         .round = round_values,
                         .jitter = jitter_values,
                         .softmax = softmax_rows,
                         .residual = residual_values,
                         .squares = sum_of_squares,
                         .score_shift = score_shift_of,
                         .softmax_backward = softmax_backward_rows,
                         .round_scores = round_score_rows,
                         .update = update_values,
                         .displacement = displacement_of};
