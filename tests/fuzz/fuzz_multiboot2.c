/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile Multiboot2 information: whatever it says, what comes out is bounded and its strings end.
 */
/* UNITS: kernel/multiboot2.c kernel/warnings.c kernel/format.c tests/fake/log.c tests/fake/error.c
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/multiboot2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct boot_info *info, const char *text)
{
	const char *end = info->text + sizeof(info->text);

	if (*text && (text < info->text || text >= end))
		abort();
	if (*text && strnlen(text, (size_t)(end - text)) == (size_t)(end - text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info info;
	err_t err;

	/* What was there before must not matter. */
	memset(&info, 0xa5, sizeof(info));
	err = multiboot2_parse(data, HPA(0x10000), size, &info);
	if ((err && !*err) || info.module_count > BOOT_MODULES_MAX ||
	    info.memory_map_count > BOOT_MEMORY_MAP_MAX || info.text_used >= BOOT_TEXT_MAX ||
	    info.rsdp_old.size > ACPI_RSDP_MAX || info.rsdp_new.size > ACPI_RSDP_MAX)
		abort();
	check_text(&info, info.loader_name);
	check_text(&info, info.command_line);
	for (unsigned i = 0; i < info.module_count; i++) {
		check_text(&info, info.modules[i].text);
		if (info.modules[i].end.raw < info.modules[i].start.raw)
			abort();
	}
	return 0;
}
