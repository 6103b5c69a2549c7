/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits of control registers, ports, MSRs and memory, from the VMCS to what the guest sees. */
/* UNITS: tests/fake/vmx_machine.c vcpu/vmx/exits.c vcpu/vmx/run.c vcpu/vmx/state.c */
/* UNITS: vcpu/vmx/exits_io.c */
/* UNITS: vcpu/vmx/vmcs.c vcpu/vmx/memory.c vcpu/vmx/ept.c vcpu/vmx/dump.c vcpu/vmx/controls.c */
/* UNITS: vcpu/vmx/capabilities.c vcpu/vcpu.c vcpu/live_state.c vcpu/control.c vcpu/msr.c */
/* UNITS: vcpu/cpuid.c vcpu/events.c vcpu/hypercall.c vcpu/io.c vcpu/linear.c vcpu/paging.c */
/* UNITS: vcpu/mmio.c vcpu/fetch.c vcpu/alu.c vcpu/decoder.c vcpu/decoder_tables.c vcpu/state.c */
/* UNITS: vcpu/vm_memory.c vcpu/bus.c trace/counters.c trace/ring.c arch/x86_64/vmcs_fields.c */
/* UNITS: arch/x86_64/vmx.c arch/x86_64/vmx_controls.c arch/x86_64/msr.c arch/x86_64/cpuid.c */
/* UNITS: arch/x86_64/exceptions.c arch/x86_64/registers.c kernel/format.c kernel/string.c */
/* UNITS: tests/fake/processor.c tests/fake/host_cpuid.c tests/fake/cpus.c tests/fake/physical.c */
/* UNITS: tests/fake/direct_map.c tests/fake/guest_memory.c tests/fake/panic.c */
/* UNITS: tests/fake/log.c tests/fake/error.c vcpu/breakpoints.c */
/* UNITS: vcpu/mtrr.c vcpu/vmx/side_channels.c vcpu/vmx/report_text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/direct_map.h"
#include "tests/fake/vmx_machine.h"

#define get fake_vmcs_get
#define set fake_vmcs_set

#define RIP  0x8000
#define PORT 0x3f8

static struct vcpu *vcpu;
static char seen[256];

static uint32_t read_port(void *device, uint16_t port, unsigned size)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "r%x.%u ", port, size);
	return 0x44434241;
}

static void write_port(void *device, uint16_t port, unsigned size, uint32_t value)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "w%x.%u=%x ", port, size, value);
}

static uint64_t read_memory(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "m%x.%u ", (unsigned)offset,
		 size);
	return 0x1122334455667788;
}

static void write_memory(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device;
	(void)offset;
	(void)size;
	(void)value;
}

static int setup(void **state)
{
	static const struct port_range ports = {"ports",   PORT,       8,   BUS_1 | BUS_2 | BUS_4,
						read_port, write_port, NULL};
	static const struct mmio_range memory = {"memory",    GPA(0xfee00000), PAGE_SIZE, BUS_4,
						 read_memory, write_memory,    NULL};

	(void)state;
	vmx_machine_model = "skylake";
	vmx_machine_setup();
	assert_null(vmx_machine_error);
	assert_null(bus_add_ports(&vmx_machine_vm.bus, &ports));
	assert_null(bus_add_mmio(&vmx_machine_vm.bus, &memory));
	vcpu = vmx_machine_vcpu;
	seen[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmx_machine_teardown();
	return 0;
}

static void expect_next(uint32_t reason, uint64_t qualification)
{
	set(VMCS_GUEST_RIP, RIP);
	assert_true(vmx_machine_exit_with(reason, qualification));
	assert_int_equal(vmx_machine_injected(), 0);
	assert_int_equal(get(VMCS_GUEST_RIP), RIP + 2);
}

static void expect_gp(uint32_t reason, uint64_t qualification)
{
	set(VMCS_GUEST_RIP, RIP);
	assert_true(vmx_machine_exit_with(reason, qualification));
	assert_int_equal(vmx_machine_injected(), INJECTED_GP);
	assert_int_equal(get(VMCS_GUEST_RIP), RIP);
}

static void expect_stop(const char *text)
{
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_STOPPED);
	if (!strstr(vmx_machine_vm.end_text, text))
		fail_msg("'%s' has no '%s'", vmx_machine_vm.end_text, text);
	assert_int_equal(get(VMCS_GUEST_RIP), RIP);
}

/* --- Control registers. --- */

static uint64_t cr_access(unsigned cr, enum cr_access_type type, unsigned reg)
{
	return cr | (uint64_t)type << 4 | (uint64_t)reg << 8;
}

static void moves_to_control_registers(void **state)
{
	(void)state;
	for (unsigned reg = 0; reg < 16; reg++) {
		uint64_t value = CR0_PE | CR0_NE | CR0_ET | (reg % 2 ? CR0_WP : 0);

		for (unsigned i = 0; i < 16; i++)
			vcpu->regs.by_index[i] = 0xbad00000000;
		vcpu->regs.by_index[reg] = value;
		if (reg == REG_RSP) {
			vcpu->regs.rsp = 0xbad00000000; /* a gap */
			set(VMCS_GUEST_RSP, value);
		}
		expect_next(VMX_EXIT_CR_ACCESS, cr_access(0, CR_MOV_TO, reg));
		assert_int_equal(backend_cr0(vcpu), value);
	}
}

/* Outside 64-bit code the operand has 32 bits; in it, all 64 are looked at. */
static void widths_of_control_registers(void **state)
{
	(void)state;
	vcpu->regs.rcx = 0x100000000 | CR4_PSE;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(4, CR_MOV_TO, REG_RCX));
	assert_int_equal(backend_cr4(vcpu), CR4_PSE);
	vcpu->regs.rcx = 0x123456000;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(3, CR_MOV_TO, REG_RCX));
	assert_int_equal(get(VMCS_GUEST_CR3), 0x23456000);
	vmx_machine_64bit();
	vcpu->regs.rcx = 0x123456000;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(3, CR_MOV_TO, REG_RCX));
	assert_int_equal(get(VMCS_GUEST_CR3), 0x123456000);
	vcpu->regs.rcx = 0x100000000 | CR4_PAE;
	expect_gp(VMX_EXIT_CR_ACCESS, cr_access(4, CR_MOV_TO, REG_RCX));
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(3, CR_MOV_FROM, REG_RDX));
	assert_int_equal(vcpu->regs.rdx, 0x123456000);
	/* Compatibility mode again has 32. */
	set(VMCS_GUEST_CS_ACCESS_RIGHTS, SEGMENT_CODE32);
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(3, CR_MOV_FROM, REG_RDX));
	assert_int_equal(vcpu->regs.rdx, 0x23456000);
}

static void moves_from_control_registers(void **state)
{
	(void)state;
	vmx_machine_64bit();
	set(VMCS_GUEST_CR3, 0x7000);
	for (unsigned reg = 0; reg < 16; reg++) {
		expect_next(VMX_EXIT_CR_ACCESS, cr_access(3, CR_MOV_FROM, reg));
		if (reg == REG_RSP)
			assert_int_equal(get(VMCS_GUEST_RSP), 0x7000);
		else
			assert_int_equal(vcpu->regs.by_index[reg], 0x7000);
	}
	vcpu->regs.rbx = 9;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(8, CR_MOV_TO, REG_RBX));
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(8, CR_MOV_FROM, REG_R9));
	assert_int_equal(vcpu->regs.r9, 9);
	vcpu->regs.rbx = 16;
	expect_gp(VMX_EXIT_CR_ACCESS, cr_access(8, CR_MOV_TO, REG_RBX));
}

/* LMSW sets PE, MP, EM, TS, and clears all of them but PE. */
static void lmsw_and_clts(void **state)
{
	const uint64_t fixed = CR0_ET | CR0_NE | CR0_WP;

	(void)state;
	vmx_machine_real();
	for (uint64_t source = 0; source < 32; source++) {
		bool pe = backend_cr0(vcpu) & CR0_PE;

		backend_set_cr0(vcpu, fixed | (pe ? CR0_PE : 0) | CR0_MP | CR0_TS);
		expect_next(VMX_EXIT_CR_ACCESS, cr_access(0, CR_LMSW, 0) | source << 16);
		assert_int_equal(backend_cr0(vcpu), fixed | (pe ? CR0_PE : 0) | (source & 0xf));
		expect_next(VMX_EXIT_CR_ACCESS, cr_access(0, CR_CLTS, 0));
		assert_int_equal(backend_cr0(vcpu),
				 fixed | (pe ? CR0_PE : 0) | (source & 0xf & ~CR0_TS));
	}
	assert_int_equal(vcpu->mode, MODE_PROTECTED);
}

static void long_mode_starts_and_ends(void **state)
{
	(void)state;
	vcpu->regs.rax = CR4_PAE;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(4, CR_MOV_TO, REG_RAX));
	vcpu->regs.rcx = IA32_EFER;
	vcpu->regs.rax = EFER_LME;
	vcpu->regs.rdx = 0;
	expect_next(VMX_EXIT_WRMSR, 0);
	assert_int_equal(get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_MODE_GUEST, 0);
	vcpu->regs.rax = CR0_PE | CR0_PG | CR0_NE | CR0_ET;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(0, CR_MOV_TO, REG_RAX));
	assert_int_equal(get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_MODE_GUEST, ENTRY_IA32E_MODE_GUEST);
	assert_int_equal(get(VMCS_GUEST_EFER), EFER_LME | EFER_LMA);
	expect_next(VMX_EXIT_RDMSR, 0);
	assert_int_equal(vcpu->regs.rax, EFER_LME | EFER_LMA);
	/* The flush of what the TLB had from before comes with it. */
	assert_true(fake_vmx.invvpid_count > 0);
	vcpu->regs.rax = CR0_PE | CR0_NE | CR0_ET;
	expect_next(VMX_EXIT_CR_ACCESS, cr_access(0, CR_MOV_TO, REG_RAX));
	assert_int_equal(get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_MODE_GUEST, 0);
	assert_int_equal(get(VMCS_GUEST_EFER), EFER_LME);
}

static void invlpg_flushes(void **state)
{
	(void)state;
	expect_next(VMX_EXIT_INVLPG, 0x123000);
	assert_int_equal(fake_vmx.invvpid_count, 1);
}

/* --- MSRs. --- */

static void msrs(void **state)
{
	(void)state;
	vcpu->regs.rcx = IA32_PAT;
	expect_next(VMX_EXIT_RDMSR, 0);
	assert_int_equal(vcpu->regs.rax | vcpu->regs.rdx << 32, 0x0007040600070406);
	vcpu->regs.rax = 0x06060606;
	expect_next(VMX_EXIT_WRMSR, 0);
	assert_int_equal(get(VMCS_GUEST_PAT), 0x0007040606060606);
	vcpu->regs.rax = 0x02060606;
	expect_gp(VMX_EXIT_WRMSR, 0);
	vcpu->regs.rcx = IA32_TIME_STAMP_COUNTER;
	vcpu->regs.rax = 5;
	vcpu->regs.rdx = 0;
	fake_machine.tsc = 1000;
	expect_next(VMX_EXIT_WRMSR, 0);
	assert_int_equal(get(VMCS_TSC_OFFSET), (uint64_t)-995);
	vcpu->regs.rcx = 0x1b; /* IA32_APIC_BASE: there is no APIC yet */
	expect_gp(VMX_EXIT_RDMSR, 0);
}

static void xsetbv_exits(void **state)
{
	(void)state;
	vcpu->regs.rcx = 0;
	vcpu->regs.rax = 7;
	vcpu->regs.rdx = 0;
	fake_machine.xcr0_supported = 0x2e7;
	expect_next(VMX_EXIT_XSETBV, 0);
	assert_int_equal(fake_machine.xcr0, 7);
	vcpu->regs.rax = 6;
	expect_gp(VMX_EXIT_XSETBV, 0);
	vcpu->regs.rax = 0xffffffff;
	vcpu->regs.rdx = 0xffffffff;
	expect_gp(VMX_EXIT_XSETBV, 0);
	assert_int_equal(fake_machine.xcr0, 7);
}

/* --- Ports. --- */

static uint64_t io(unsigned size, bool in, bool string, bool rep)
{
	return (size - 1) | (in ? 8u : 0) | (string ? 16u : 0) | (rep ? 32u : 0) |
	       (uint64_t)PORT << 16;
}

static void ports(void **state)
{
	(void)state;
	vcpu->regs.rax = 0x1122334455667788;
	for (unsigned size = 1; size <= 4; size *= 2)
		expect_next(VMX_EXIT_IO_INSTRUCTION, io(size, false, false, false));
	assert_string_equal(seen, "w3f8.1=88 w3f8.2=7788 w3f8.4=55667788 ");
	seen[0] = '\0';
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(1, true, false, false));
	assert_int_equal(vcpu->regs.rax, 0x1122334455667741);
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(2, true, false, false));
	assert_int_equal(vcpu->regs.rax, 0x1122334455664241);
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(4, true, false, false));
	assert_int_equal(vcpu->regs.rax, 0x44434241);
	assert_string_equal(seen, "r3f8.1 r3f8.2 r3f8.4 ");
}

static void strings(void **state)
{
	(void)state;
	memcpy(vmx_machine_memory(0x1000), "\1\2\3\4", 4);
	vcpu->regs.rsi = 0x1000;
	vcpu->regs.rcx = 2;
	set(VMCS_EXIT_INSTRUCTION_INFO, 1 << 7 | SEG_DS << 15);
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(2, false, true, true));
	assert_string_equal(seen, "w3f8.2=201 w3f8.2=403 ");
	assert_int_equal(vcpu->regs.rsi, 0x1004);
	assert_int_equal(vcpu->regs.rcx, 0);
	/* 16-bit addresses, and FS. */
	vcpu->regs.rsi = 0xaaaa0001;
	set(VMCS_GUEST_FS_BASE, 0x1000);
	set(VMCS_EXIT_INSTRUCTION_INFO, 0 << 7 | SEG_FS << 15);
	seen[0] = '\0';
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(1, false, true, false));
	assert_string_equal(seen, "w3f8.1=2 ");
	assert_int_equal(vcpu->regs.rsi, 0xaaaa0002);
	/* INS goes to ES, whatever stands there as its segment. */
	vcpu->regs.rdi = 0x2000;
	set(VMCS_EXIT_INSTRUCTION_INFO, 1 << 7 | SEG_FS << 15);
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(4, true, true, false));
	assert_memory_equal(vmx_machine_memory(0x2000), "ABCD", 4);
	assert_int_equal(vcpu->regs.rdi, 0x2004);
}

/* SDM "Basic VMX Information": INS and OUTS are not described at the exit by every processor. */
static void strings_that_are_decoded(void **state)
{
	(void)state;
	vmx_machine_capabilities.basic.ins_outs_info = false;
	set(VMCS_EXIT_INSTRUCTION_INFO, ~0u);
	memcpy(vmx_machine_memory(RIP), "\x64\x67\xf3\x6e", 4); /* rep outsb %fs:(%si), (%dx) */
	memcpy(vmx_machine_memory(0x1000), "\1\2\3\4", 4);
	set(VMCS_GUEST_FS_BASE, 0x1000);
	vcpu->regs.rsi = 0xaaaa0001;
	vcpu->regs.rcx = 0xbbbb0002;
	expect_next(VMX_EXIT_IO_INSTRUCTION, io(1, false, true, true));
	assert_string_equal(seen, "w3f8.1=2 w3f8.1=3 ");
	assert_int_equal(vcpu->regs.rsi, 0xaaaa0003);
	assert_int_equal(vcpu->regs.rcx, 0xbbbb0000);
	set(VMCS_GUEST_RIP, 0xfffff000);
	assert_false(vmx_machine_exit_with(VMX_EXIT_IO_INSTRUCTION, io(1, false, true, true)));
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_STOPPED);
}

/* --- Memory. --- */

#define READ       0x001u
#define WRITE      0x002u
#define FETCH      0x004u
#define LINEAR     0x080u
#define TRANSLATED 0x100u
#define UNBLOCKED  0x1000u

static void an_access_to_a_device(void **state)
{
	(void)state;
	memcpy(vmx_machine_memory(RIP), "\x8b\x03", 2); /* mov (%ebx), %eax */
	vcpu->regs.rbx = 0xfee00020;
	set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xfee00020);
	set(VMCS_EXIT_INSTRUCTION_LENGTH, 15); /* not defined for this exit */
	set(VMCS_EXIT_QUALIFICATION, READ | LINEAR | TRANSLATED);
	assert_true(vmx_machine_exit(VMX_EXIT_EPT_VIOLATION));
	assert_int_equal(get(VMCS_GUEST_RIP), RIP + 2);
	assert_int_equal(vcpu->regs.rax, 0x55667788);
	assert_string_equal(seen, "m20.4 ");
}

static void accesses_that_have_no_instruction(void **state)
{
	static const struct {
		uint64_t qualification;
		uint32_t vectoring;
		const char *who;
	} rows[] = {
		{READ | LINEAR,                        0,          "a page walk"                       },
		{READ,				 0,          "a load of PDPTEs"                  },
		{FETCH | LINEAR | TRANSLATED,          0,          "a fetch of code"                   },
		{READ | LINEAR | TRANSLATED,           0x80000020, "the delivery of an event"          },
		{READ | LINEAR | TRANSLATED | 0x10000, 0,          "an access that is no instruction's"},
	};
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exit_ring *ring;
		struct ept_mapping mapping;

		/* Reads are ones. */
		setup(state);
		ring = vmx_machine_record();
		set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xfed00020);
		set(VMCS_IDT_VECTORING_INFO, rows[i].vectoring);
		set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, DEBUG_BS);
		assert_true(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION, rows[i].qualification));
		assert_int_equal(ring->records[0].detail[0], 0xfed00020);
		assert_int_equal(ring->records[0].detail[2], EPT_ONES << 8);
		assert_true(ept_translate(ept_of(vcpu), GPA(0xfed00020), &mapping));
		assert_int_equal(mapping.page_size, PAGE_SIZE);
		assert_int_equal(mapping.rights, EPT_READ | EPT_EXECUTE);
		for (unsigned at = 0; at < PAGE_SIZE - 0x20; at++)
			assert_int_equal(((uint8_t *)direct_map(mapping.hpa))[at], 0xff);
		assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
		assert_int_equal(vmx_machine_injected(), rows[i].vectoring);

		/* Writes are too much. */
		setup(state);
		ring = vmx_machine_record();
		set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xfed00020);
		set(VMCS_IDT_VECTORING_INFO, rows[i].vectoring);
		assert_false(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION,
						   rows[i].qualification | WRITE));
		snprintf(text, sizeof(text),
			 "%s meets guest-physical address fed00020, where there is no memory: "
			 "writes",
			 rows[i].who);
		expect_stop(text);
		assert_int_equal(ring->records[0].detail[2], EPT_STOPPED << 8);
		assert_string_equal(seen, "");
	}
}

static void a_page_shared_with_a_device(void **state)
{
	(void)state;
	set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xfee00020);
	assert_false(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION, FETCH | LINEAR | TRANSLATED));
	expect_stop("a fetch of code meets guest-physical address fee00020, where there is no "
		    "memory: that page is of the device memory");
}

/* A data breakpoint that MOV SS holds back stays. */
static void a_repeated_access_keeps_what_mov_ss_holds_back(void **state)
{
	(void)state;
	set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xfed00020);
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_MOV_SS);
	set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 1);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION, FETCH | LINEAR | TRANSLATED));
	assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 1);
}

/* An IRET that popped from there had ended the blocking of NMIs. */
static void an_iret_from_a_device(void **state)
{
	(void)state;
	memcpy(vmx_machine_memory(RIP), "\x8b\x03", 2);
	vcpu->regs.rbx = 0xfee00020;
	set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xfee00020);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION,
					  READ | LINEAR | TRANSLATED | UNBLOCKED));
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), INTERRUPTIBILITY_NMI);
}

/* The iTLB multi-hit erratum: code in a large page is let in by splitting it. */
static void execute_rights_on_demand(void **state)
{
	struct ept_mapping mapping;

	(void)state;
	vmx_machine_teardown();
	vmx_machine_itlb_multihit = true;
	vmx_machine_setup();
	vmx_machine_itlb_multihit = false;
	assert_true(ept_translate(ept_of(vmx_machine_vcpu), GPA(RIP), &mapping));
	assert_int_equal(mapping.rights, EPT_READ | EPT_WRITE);
	set(VMCS_GUEST_PHYSICAL_ADDRESS, RIP);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION, FETCH | LINEAR | TRANSLATED));
	assert_int_equal(get(VMCS_GUEST_RIP), RIP);
	assert_true(ept_translate(ept_of(vmx_machine_vcpu), GPA(RIP), &mapping));
	assert_int_equal(mapping.rights, EPT_ALL);
	assert_int_equal(mapping.page_size, PAGE_SIZE);
	assert_int_equal(fake_vmx.invept_count, 1);
	/* Again, and it is something else. */
	assert_false(vmx_machine_exit_with(VMX_EXIT_EPT_VIOLATION, FETCH | LINEAR | TRANSLATED));
}

static void a_misconfiguration(void **state)
{
	(void)state;
	set(VMCS_GUEST_PHYSICAL_ADDRESS, 0x5000);
	assert_false(vmx_machine_exit_with(VMX_EXIT_EPT_MISCONFIGURATION, 0));
	expect_stop("EPT misconfiguration at guest-physical address 5000");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(moves_to_control_registers),
		TEST(widths_of_control_registers),
		TEST(moves_from_control_registers),
		TEST(lmsw_and_clts),
		TEST(long_mode_starts_and_ends),
		TEST(invlpg_flushes),
		TEST(msrs),
		TEST(xsetbv_exits),
		TEST(ports),
		TEST(strings),
		TEST(strings_that_are_decoded),
		TEST(an_access_to_a_device),
		TEST(accesses_that_have_no_instruction),
		TEST(a_page_shared_with_a_device),
		TEST(a_repeated_access_keeps_what_mov_ss_holds_back),
		TEST(an_iret_from_a_device),
		TEST(execute_rights_on_demand),
		TEST(a_misconfiguration),
	};

	return cmocka_run_group_tests_name("vmx_accesses", tests, NULL, NULL);
}
