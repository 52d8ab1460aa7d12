// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/diffpath.hpp>
#include <anodiff/methods/likelihood.hpp>
#include <anodiff/methods/msma.hpp>
#include <anodiff/methods/score_norm.hpp>
#include <anodiff/runtime/erased.hpp>

namespace anodiff::detail {

using made = std::unique_ptr<erased_detector>;
template made make_erased<methods::diffpath<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::likelihood<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::msma<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::score_norm<cpu_engine>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
