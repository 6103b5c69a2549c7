/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs whose VMCS is broken by hand before they run: what Plinth says of each is the test's to look
 * at. */
#include "tests/system/entry_refused.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/vmx_instructions.h"
#include "kernel/log.h"
#include "kernel/verdict.h"
#include "vcpu/vcpu.h"

#define MEMORY (2ull << 20)

static const struct {
	const char *name;
	bool check; /* as check=entry does */
	uint32_t field;
	uint64_t value;
} cases[] = {
  /* clang-format off */
	{"guest-state",   false, VMCS_GUEST_RFLAGS,      0x8},
	{"link-pointer",  false, VMCS_LINK_POINTER,      0x123},
	{"controls",      false, VMCS_CR3_TARGET_COUNT,  0x9},
	{"host-state",    false, VMCS_HOST_TR_SELECTOR,  0},
	{"check-guest",   true,  VMCS_GUEST_CS_LIMIT,    0xffffe},
	{"check-host",    true,  VMCS_HOST_CR4,          CR4_PAE},
  /* clang-format on */
};

static err_t run(unsigned number)
{
	const struct vcpu_options options = {.check_entries = cases[number].check};
	struct vcpu_state state;
	struct vm *vm;
	err_t err = vm_create(cases[number].name, number, MEMORY, &vm);

	if (err)
		return err;
	vcpu_state_flat32(&state, 0x100000);
	err = vcpu_create(vm, &options, &state);
	if (!err && vmwrite_checked(cases[number].field, cases[number].value) != VMX_OK)
		err = "VMWRITE fails";
	if (!err) {
		vcpu_run(vm->vcpu);
		log_vm(vm->name, "ended: %s", vm->end_text);
		vcpu_destroy(vm->vcpu);
	}
	vm_destroy(vm);
	return err;
}

void entry_refused_run(void)
{
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		err_t err = run(i);

		if (err)
			verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s: %s", cases[i].name,
				    err);
	}
}
