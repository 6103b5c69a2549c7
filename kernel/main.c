/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's start, in order. What the firmware tells may be wrong: that is told, and the start
 * goes on with less. It ends with a verdict only where nothing is left to go on with.
 */
#include <stddef.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "guest/guests.h"
#include "kernel/acpi.h"
#include "kernel/address_space.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/framebuffer.h"
#include "kernel/layout.h"
#include "kernel/local_apic.h"
#include "kernel/log.h"
#include "kernel/main.h"
#include "kernel/memory_map.h"
#include "kernel/multiboot2.h"
#include "kernel/panic.h"
#include "kernel/physical.h"
#include "kernel/power.h"
#include "kernel/screen.h"
#include "kernel/start_cpus.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/traps.h"
#include "kernel/verdict.h"
#include "kernel/vga.h"
#include "vcpu/report.h"

#define BOOT_MAPPED_END   (4 * GIB)  /* what the page tables of boot/entry.S reach */
#define BOOT_BLOCK_MAX    (16 * MIB) /* a longer information block is not believed */
#define PHYSICAL_BITS_MIN 36         /* of processors that do not tell */

/* All too large for a stack. */
static struct boot_info boot;
static struct options options;
static struct acpi_info acpi;
static struct memory_map memory_map;

/* Command line and console: from here on the user sees what he asked to see. */
static void read_boot_info(uint32_t block)
{
	err_t boot_err = multiboot2_parse(
		(const void *)(uint64_t)block, HPA(block),
		block < BOOT_MAPPED_END - BOOT_BLOCK_MAX ? BOOT_BLOCK_MAX : BOOT_MAPPED_END - block,
		&boot);
	err_t options_err, err;

	options_err = command_line_parse(boot.command_line, &options);
	log_set_level(options.log_level);
	verdict_on_exit(options.exit_action);
	err = console_init(options.console.serial ? options.console.port : 0, options.console.baud);
	if (err)
		log_error("console: %s", err);
	if (boot_err)
		log_error("what the boot loader tells is damaged: %s", boot_err);
	warnings_log(&boot.warnings, "boot loader");
	if (options_err) {
		log_error("command line: %s", options_err);
		command_line_log_help();
	}
}

#define BRAND_LEAVES 3u

/* The processor's name for itself, without the blanks around it; "" when it has none. */
static const char *read_brand(char text[16 * BRAND_LEAVES + 1])
{
	size_t length = sizeof(struct cpuid_result) * BRAND_LEAVES;

	text[0] = '\0';
	if (cpuid_max_leaf(cpuid, CPUID_LEAF_BRAND) < CPUID_LEAF_BRAND + BRAND_LEAVES - 1)
		return text;
	for (uint32_t i = 0; i < BRAND_LEAVES; i++) {
		struct cpuid_result part = cpuid(CPUID_LEAF_BRAND + i, 0);

		memcpy(text + sizeof(part) * i, &part, sizeof(part));
	}
	text[length] = '\0';
	for (length = strlen(text); length > 0 && text[length - 1] == ' '; length--)
		text[length - 1] = '\0';
	while (*text == ' ')
		text++;
	return text;
}

static void tell_start(void)
{
	char vendor[13], hypervisor[13], brand[16 * BRAND_LEAVES + 1];

	log_info("Plinth, started by %s under %s", boot.loader_name[0] ? boot.loader_name : "?",
		 boot.efi ? "UEFI" : "BIOS");
	cpuid_vendor(cpuid, vendor);
	log_info("CPU %s, signature 0x%x: %s", vendor, cpuid(CPUID_LEAF_FEATURES, 0).eax,
		 read_brand(brand));
	if (!cpuid_has(cpuid, CPUID_HYPERVISOR))
		return;
	cpuid_hypervisor(cpuid, hypervisor);
	log_info("this machine is a guest itself, of the hypervisor \"%s\"", hypervisor);
}

static unsigned physical_bits(void)
{
	if (cpuid_max_leaf(cpuid, CPUID_LEAF_ADDRESS_SIZES) < CPUID_LEAF_ADDRESS_SIZES)
		return PHYSICAL_BITS_MIN;
	return cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).eax & 0xff;
}

/* Plinth itself, the boot loader's information and the modules are in memory that the firmware
 * calls free. */
static unsigned list_reservations(struct memory_reservation *list)
{
	unsigned count = 0;

	list[count++] = (struct memory_reservation){
		.base = HPA(kernel_physical(kernel_start)),
		.size = (uint64_t)(kernel_end - kernel_start),
		.name = "Plinth",
	};
	list[count++] = (struct memory_reservation){
		.base = boot.block,
		.size = boot.block_size,
		.name = "boot information",
	};
	for (unsigned i = 0; i < boot.module_count; i++)
		list[count++] = (struct memory_reservation){
			.base = boot.modules[i].start,
			.size = boot.modules[i].end.raw - boot.modules[i].start.raw,
			.name = "module",
		};
	return count;
}

static err_t start_memory(void)
{
	static struct memory_reservation reservations[BOOT_MODULES_MAX + 2];
	struct kernel_image image = {
		.text_start = HVA((uint64_t)kernel_text_start),
		.text_end = HVA((uint64_t)kernel_text_end),
		.rodata_start = HVA((uint64_t)kernel_rodata_start),
		.rodata_end = HVA((uint64_t)kernel_rodata_end),
		.data_start = HVA((uint64_t)kernel_data_start),
		.data_end = HVA((uint64_t)kernel_data_end),
	};
	err_t err;

	_Static_assert(ARRAY_COUNT(reservations) <= MEMORY_MAP_RESERVATIONS_MAX, "they must fit");
	err = memory_map_build(&memory_map, boot.memory_map, boot.memory_map_count, reservations,
			       list_reservations(reservations), physical_bits());
	if (err)
		return err;
	memory_map_log(&memory_map);
	err = physical_init(&memory_map);
	if (!err)
		err = address_space_init(&memory_map, &image);
	return err;
}

/* A display lies outside RAM; what does not, would be overwritten by drawing. */
static err_t map_display(hpa_t at, uint64_t size, void **where)
{
	for (unsigned i = 0; i < memory_map.ram_count; i++) {
		const struct memory_range *ram = &memory_map.ram[i];

		if (at.raw < ram->end && size > 0 && at.raw + size - 1 >= ram->start)
			return error("the display at 0x%lx would lie in RAM", at.raw);
	}
	return address_space_map_device(at, size, where);
}

static err_t start_vga(void)
{
	void *memory;
	err_t err = map_display(HPA(VGA_ADDRESS), VGA_SIZE, &memory);

	if (!err)
		vga_start(memory);
	return err;
}

static err_t start_framebuffer(void)
{
	void *memory;
	uint64_t size;
	err_t err = framebuffer_check(&boot.framebuffer, &size);

	if (!err)
		err = map_display(boot.framebuffer.address, size, &memory);
	if (!err)
		framebuffer_start(&boot.framebuffer, memory);
	return err;
}

/* The second console. Without a word of the boot loader, a BIOS has left text mode, and UEFI
 * nothing to use. */
static void start_screen(void)
{
	err_t err;

	if (!options.console.vga || (!boot.framebuffer.present && boot.efi))
		return;
	if (!boot.framebuffer.present || boot.framebuffer.type == FRAMEBUFFER_EGA_TEXT)
		err = start_vga();
	else
		err = start_framebuffer();
	if (!err)
		err = console_add_sink(screen_write);
	if (err)
		log_warn("no console on the screen: %s", err);
}

/* For acpi_read(): one table at a time. */
static const void *map_table(hpa_t address, uint64_t size)
{
	static const void *mapped;
	static uint64_t mapped_size;
	const void *where;
	err_t err;

	if (mapped)
		physical_unmap_readonly(mapped, mapped_size);
	mapped = NULL;
	err = physical_map_readonly(address, size, &where);
	if (err) {
		log_debug("ACPI: %s", err);
		return NULL;
	}
	mapped = where;
	mapped_size = size;
	return where;
}

static void start_acpi(void)
{
	err_t err = acpi_read(boot.rsdp_new.size ? &boot.rsdp_new : NULL,
			      boot.rsdp_old.size ? &boot.rsdp_old : NULL, map_table, &acpi);

	if (err)
		log_warn("ACPI: %s", err);
	warnings_log(&acpi.warnings, "ACPI");
	err = power_set_acpi(&acpi);
	if (err)
		log_warn("ACPI: the reset register cannot be reached: %s", err);
}

/* On a stack with a guard page, with all of the host's memory at hand. */
static void run(void *unused)
{
	struct pm_timer pm_timer = {.port = acpi.pm_timer_port, .wide = acpi.pm_timer_32};
	err_t err;

	(void)unused;
	time_init(acpi.pm_timer_port ? &pm_timer : NULL);
	err = local_apic_start();
	if (err)
		log_warn("local APIC: %s", err);
	start_cpus(&acpi, &memory_map);
	if (options.report == REPORT_VMX)
		backend_report();
	guests_run(&boot, &options, &acpi);
}

void kernel_main(uint32_t magic, uint32_t information)
{
	uint64_t stack;
	err_t err;

	cpu_start(0);
	traps_init();
	if (magic != MULTIBOOT2_BOOT_MAGIC)
		panic("boot/entry.S let magic 0x%x pass", magic);
	read_boot_info(information);
	tell_start();
	err = start_memory();
	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "memory: %s", err);
	start_screen();
	start_acpi();
	err = cpu_create_stacks(0, &stack);
	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "stacks: %s", err);
	cpu_run_on_stack(stack, run, NULL);
}
