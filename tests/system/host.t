#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The host against bugs of its own: each fault of tests/system/host.c is stopped and reported, and the run ends with a
# verdict. In QEMU without KVM, except for what only Bochs does as hardware does.
source "$(dirname "$0")/lib.sh"

host=$root/build/tests/host.elf

# fault NAME WHAT: the report begins with WHAT, and has registers, a backtrace and the verdict.
fault()
{
	boot "$1" 60 qemu --no-kvm --elf "$host" --trace "$1" </dev/null
	status_is $ERROR
	matches "^plinth: error: panic: $2" "is reported"
	matches '^plinth: verdict: error 4 panic( in a panic)?: ' "ends with a verdict"
}

# Faults with registers and a backtrace that ends where all functions of the host begin.
fault_in()
{
	fault "$1" "$2"
	matches '^plinth:   rip [0-9a-f]{16}  rflags ' "shows the registers"
	matches "^plinth:   0x[0-9a-f]{16} $3\\+0x" "names the function"
	matches '^plinth:   0x[0-9a-f]{16} run\+0x' "and who called it"
}

not_mapped='the page is not mapped'
forbidden='the page does not allow it'
fault_in null-write "#PF page fault \\(error 0x2\\): write to 0x8, $not_mapped; a null pointer, at 0x.* null_write\\+0x" \
	null_write
fault null-call "#PF page fault \\(error 0x10\\): execution of 0x0, $not_mapped; a null pointer"
fault_in text-write "#PF page fault \\(error 0x3\\): write to 0xffffffff80[0-9a-f]{6}, $forbidden" text_write
fault rodata-write "#PF page fault \\(error 0x3\\): write to 0xffffffff80[0-9a-f]{6}, $forbidden"
fault text-write-direct "#PF page fault \\(error 0x3\\): write to 0xffff8000[0-9a-f]{8}, $forbidden"
fault data-execute "#PF page fault \\(error 0x11\\): execution of 0xffffffff80[0-9a-f]{6}, $forbidden"
fault rodata-execute "#PF page fault \\(error 0x11\\): execution of 0xffffffff80[0-9a-f]{6}, $forbidden"
fault text-execute-direct "#PF page fault \\(error 0x11\\): execution of 0xffff8000[0-9a-f]{8}, $forbidden"
fault identity-read "#PF page fault \\(error 0x2\\): write to 0x100000, $not_mapped"
fault_in stack-overflow "#DF double fault: stack overflow, the guard page at 0xfffffe80[0-9a-f]{8} was hit" 'recurse[.a-z0-9]*'
matches '^plinth:   \.\.\. [0-9]+ more of the same' "a recursion is one line"
fault stack-smash 'a function wrote beyond its variables on the stack'
fault_in undefined '#UD invalid opcode, at 0x.* undefined\+0x' undefined
fault deliberate 'deliberate, with 42'
fault nested '#PF page fault'
says "plinth: error: panic in a panic: exception 14 at 0x" "plinth: verdict: error 4 panic in a panic: "

# What works, and guests whose EPT and VMCS change under them; after a boot loader that leaves another PAT behind than a
# reset, where all is WB.
"$root/tools/make-iso.sh" -o "$work/pat.iso" -k "$host" -g "wrmsr 0x277 0x0606060606060606"
boot working 60 bochs --iso "$work/pat.iso" </dev/null
status_is $PASS
says "plinth: ok: with INVEPT, a write exits" "plinth: ok: VM entry failed, VMfailInvalid"
boot most-features 60 bochs --elf "$host" --cpu icelake </dev/null
status_is $PASS
if [[ -n ${PLINTH_LONG-} ]]; then
	for model in arrandale sandy ivy broadwell skylake_x cnl tigerlake; do
		boot $model 60 bochs --elf "$host" --cpu $model </dev/null
		status_is $PASS
	done
fi

done_testing
