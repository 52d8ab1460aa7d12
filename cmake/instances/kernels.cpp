// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/empirical_em.hpp>
#include <anodiff/methods/local_gaussian.hpp>
#include <anodiff/methods/rows_composite.hpp>
#include <anodiff/methods/rows_default.hpp>
#include <anodiff/runtime/erased.hpp>

namespace anodiff::detail {

using made = std::unique_ptr<erased_detector>;
template made make_erased<methods::empirical_em<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::local_gaussian<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::rows_composite<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::rows_default<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<mixed<methods::rows_default<cpu_engine>>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
