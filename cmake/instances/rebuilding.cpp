// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/ddpm_ood.hpp>
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/runtime/erased.hpp>

namespace anodiff::detail {

using made = std::unique_ptr<erased_detector>;
template made make_erased<methods::ddpm_ood<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::ddpm_reconstruction<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<mixed<methods::ddpm_reconstruction<cpu_engine>>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
