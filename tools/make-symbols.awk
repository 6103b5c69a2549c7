# SPDX-License-Identifier: BSD-2-Clause
# Reads `nm -n` of the hypervisor and writes the table of its functions for kernel/symbols.c as assembly.

BEGIN {
	print "/* Made by tools/make-symbols.awk. */"
	print "\t.section .symbol_entries, \"a\""
}

# Text symbols, global or local. Labels of the linker script and of assembly's loops are no functions.
$2 ~ /^[tTwW]$/ && $3 !~ /^(kernel_text_(start|end)|boot_|\.L)/ && $1 ~ /^ffffffff/ && $1 != last {
	last = $1
	print "\t.long 0x" $1 " - 0x" start ", " length_so_far
	names[count++] = $3
	length_so_far += length($3) + 1
}

$3 == "kernel_text_start" { start = $1 }

END {
	print "\t.section .symbol_names, \"a\""
	for (i = 0; i < count; i++)
		print "\t.asciz \"" names[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
