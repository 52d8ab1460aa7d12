// SPDX-License-Identifier: Apache-2.0
// Never compiled: its target tells the checks that call the compiler themselves which flags to use.
