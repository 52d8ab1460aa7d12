// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/ddae.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/methods/elbo.hpp>
#include <anodiff/methods/mixed_diffusion.hpp>
#include <anodiff/methods/tabadm.hpp>
#include <anodiff/runtime/erased.hpp>

namespace anodiff::detail {

using made = std::unique_ptr<erased_detector>;
template made make_erased<methods::ddae<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::denoising_error<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<mixed<methods::denoising_error<cpu_engine>>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::elbo<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::mixed_diffusion<cpu_engine>>(const text_fields&, const cpu_engine&);
template made make_erased<methods::tabadm<cpu_engine>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
