# SPDX-License-Identifier: BSD-2-Clause
# Reads `nm -n` of the hypervisor and writes the table of its functions for kernel/symbols.c as assembly.

$3 == "kernel_text_start" {
	start = $1
}

# Functions, global or local, in the order of their addresses. The 32-bit start lies elsewhere.
$2 ~ /^[tTwW]$/ && $1 ~ /^ffffffff/ && $3 !~ /^kernel_(start|text_)/ && $1 != address[count] {
	address[++count] = $1
	name[count] = $3
}

END {
	print "/* Made by tools/make-symbols.awk. */"
	print "\t.section .symbol_entries, \"a\""
	offset = 0
	for (i = 1; i <= count; i++) {
		print "\t.long 0x" address[i] " - 0x" start ", " offset
		offset += length(name[i]) + 1
	}
	print "\t.section .symbol_names, \"a\""
	for (i = 1; i <= count; i++)
		print "\t.asciz \"" name[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
