// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/dte_np.hpp>
#include <anodiff/methods/knn.hpp>
#include <anodiff/runtime/erased.hpp>

namespace anodiff::detail {

using made = std::unique_ptr<erased_detector>;
template made make_erased<methods::dte_np<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<mixed<methods::dte_np<cpu_engine>>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::knn<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<mixed<methods::knn<cpu_engine>>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
