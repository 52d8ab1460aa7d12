// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace golden {

/// The last x of DDIMScheduler runs of diffusers at revision 58eb52c0: 1000 linear levels (beta 1e-4 to 0.02), ten
/// steps, eta 0, no clipping, set_alpha_to_one. The start is x = linspace(-1, 1, 8); the network is closed-form,
/// F = x / 2 + sin(3 x) / 10 + t / 10000. diffusers computes in float32 and rounds its tables; doubles differ from it
/// by up to 5e-5 of the largest element.
using run = std::array<double, 8>;

inline constexpr run epsilon_leading{-8.60929203,  -5.94573736, -3.53085351, -1.41968477,
                                     -0.160797641, 0.820485055, 3.78064466,  6.44617128};
inline constexpr run epsilon_trailing{-16.0933456,  -11.2675438, -6.53880692, -2.79507136,
                                      -0.412266791, 1.1857065,   6.3265667,   11.3785248};
inline constexpr run clean_leading{-0.330075204, -0.299083173, -0.233835995, -0.0728872269,
                                   0.155841947,  0.279745877,  0.327310622,  0.351477593};
inline constexpr run clean_trailing{-0.4524436,  -0.402094036, -0.304169357, -0.0902983546,
                                    0.199079424, 0.373920202,  0.449949592,  0.491358906};
inline constexpr run velocity_leading{-0.301620603,  -0.1945301,   -0.114483535, -0.0505622514,
                                      0.00767671084, 0.0695042834, 0.144779131,  0.244037688};
inline constexpr run velocity_trailing{-0.298345685,  -0.192428544, -0.113399044, -0.0503442883,
                                       0.00707636494, 0.0680076107, 0.142189801,  0.240123272};
/// The same with rescale_betas_zero_snr: the run starts from pure noise.
inline constexpr run velocity_trailing_zero_snr{-0.296333432,  -0.191128626, -0.112684578, -0.0501222387,
                                                0.00683932239, 0.0672837347, 0.140888974,  0.238109171};

}  // namespace golden
