// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/dte_c.hpp>
#include <anodiff/methods/dte_gaussian.hpp>
#include <anodiff/methods/dte_ig.hpp>
#include <anodiff/runtime/erased.hpp>

namespace anodiff::detail {

using made = std::unique_ptr<erased_detector>;
template made make_erased<methods::dte_c<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::dte_gaussian<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::dte_ig<cpu_engine>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
