/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors for tests of what depends on VMX capabilities: the models of
 * tests/unit/vmx-capabilities.txt, and changes to them. Link tests/fake/processor.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"

/* Becomes a model whose name contains this text, with Intel's CPUID and VMX. Ends the test if there
 * is none. */
void processor_load(const char *name);

/* The names of all models in turn; NULL after the last. */
const char *processor_name(unsigned number);

/* Gives an MSR a value, or makes reading it fault. */
void processor_set_msr(uint32_t msr, uint64_t value);
void processor_remove_msr(uint32_t msr);
uint64_t processor_msr(uint32_t msr);

/* Changes a feature bit, the vendor, the hypervisor's sign ("": bit clear). */
void processor_set_feature(struct cpuid_bit feature, bool value);
void processor_set_vendor(const char *vendor);
void processor_set_hypervisor(const char *sign);

/* The readers. */
bool processor_rdmsr(uint32_t msr, uint64_t *value);
struct cpuid_result processor_cpuid(uint32_t leaf, uint32_t subleaf);

/* How often an MSR was read since the processor was loaded. */
unsigned processor_reads(uint32_t msr);
