/* SPDX-License-Identifier: BSD-2-Clause */
/* The exits of IN, OUT and their string forms. */
#include "vcpu/breakpoints.h"
#include "vcpu/fetch.h"
#include "vcpu/io.h"
#include "vcpu/vmx/vmx.h"

/* Where the processor does not tell more of INS and OUTS (SDM "Basic VMX Information"), their bytes
 * do. */
static err_t decode_string_io(struct vcpu *vcpu, struct string_io_info *info)
{
	struct fetched fetched;
	err_t err = fetch_instruction(vcpu, &fetched);

	info->address_size = fetched.instruction.address_size;
	info->segment = fetched.instruction.segment;
	return err;
}

static __attribute__((noinline)) enum outcome io_string(struct vcpu *vcpu,
							uint64_t io_qualification)
{
	struct io_access io = io_access_decode(io_qualification);
	struct string_io_info info;
	err_t err = NULL;

	if (likely(vmx_capabilities()->basic.ins_outs_info))
		info = string_io_info_decode((uint32_t)vmcs_read(VMCS_EXIT_INSTRUCTION_INFO));
	else
		err = decode_string_io(vcpu, &info);
	if (err) {
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0, "a string instruction on port %x: %s",
			io.port, err);
		return OUTCOME_STAY;
	}
	return vcpu_io_string(vcpu, &(struct string_io){
					    .port = io.port,
					    .size = (uint8_t)io.size,
					    .in = io.in,
					    .rep = io.rep,
					    .address_size = (uint8_t)info.address_size,
					    .segment = io.in ? SEG_ES : (uint8_t)info.segment,
				    });
}

/* Bytes first: they are what most devices take. Constant sizes give each its own path. */
static inline enum outcome do_io(struct vcpu *vcpu, uint64_t io_qualification)
{
	struct io_access io = io_access_decode(io_qualification);

	if (likely(!(io_qualification & (IO_SIZE | IO_STRING))))
		return io.in ? vcpu_in(vcpu, io.port, 1) : vcpu_out(vcpu, io.port, 1);
	if (io.string)
		return io_string(vcpu, io_qualification);
	if (io.size == 2)
		return io.in ? vcpu_in(vcpu, io.port, 2) : vcpu_out(vcpu, io.port, 2);
	return io.in ? vcpu_in(vcpu, io.port, 4) : vcpu_out(vcpu, io.port, 4);
}

static __attribute__((noinline, cold)) enum outcome io_watched(struct vcpu *vcpu,
							       uint64_t io_qualification)
{
	struct io_access io = io_access_decode(io_qualification);

	if (vcpu_records(vcpu))
		vcpu->record->qualification = io_qualification;
	if (vcpu->port_breakpoints && !io.string && breakpoints_on(vmcs_read(VMCS_GUEST_DR7)))
		breakpoints_check(vcpu, BREAKPOINT_PORT, io.port, io.size);
	return do_io(vcpu, io_qualification);
}

enum outcome vmx_exit_io(struct vcpu *vcpu)
{
	uint64_t value = vmcs_read(VMCS_EXIT_QUALIFICATION);

	if (unlikely(vcpu_watches_ports(vcpu)))
		return io_watched(vcpu, value);
	return do_io(vcpu, value);
}
