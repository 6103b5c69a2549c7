/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the list of guests from the modules, or of the demo guest alone. */
#include "guest/modules.h"

#include "guest/demo.h"
#include "kernel/address.h"
#include "kernel/direct_map.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/string.h"

#define DEMO_MEMORY (16 * MIB)

/* Keeps an error beyond the life of its buffer. */
static err_t keep(unsigned index, err_t err)
{
	static char texts[GUESTS_MAX][200];

	format(texts[index], sizeof(texts[index]), "%s", err);
	return texts[index];
}

static err_t check_name(const struct guest *guests, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (strcmp(guests[i].options.name, guests[index].options.name) == 0)
			return "another VM has this name already; give it a name= of its own";
	return NULL;
}

static unsigned add_module(const struct boot_module *module, struct guest *guests, unsigned count)
{
	struct module_options options;
	err_t err = module_options_parse(module->text, count, &options);
	const void *bytes = direct_map(module->start);
	uint64_t size = module->end.raw - module->start.raw;
	struct guest *guest;

	if (options.role == MODULE_INITRD) {
		if (count == 0) {
			log_error("an initrd comes before any kernel, and is left out; put its "
				  "module2 "
				  "line after the kernel's");
			return count;
		}
		guest = &guests[count - 1];
		if (!err && guest->image.initrd)
			err = "it has an initrd already; one is the limit";
		if (err && !guest->err)
			guest->err = keep(count - 1, err);
		guest->image.initrd = bytes;
		guest->image.initrd_size = size;
		return count;
	}
	if (count == GUESTS_MAX) {
		log_error("more than %u VMs; \"%s\" is left out", GUESTS_MAX, options.name);
		return count;
	}
	guests[count] = (struct guest){
		.options = options,
		.image = {.bytes = bytes, .size = size, .command_line = options.guest_command_line},
	};
	if (!err)
		err = check_name(guests, count);
	if (err)
		guests[count].err = keep(count, err);
	return count + 1;
}

unsigned modules_collect(const struct boot_info *boot, struct guest guests[GUESTS_MAX])
{
	unsigned count = 0;

	if (boot->module_count == 0) {
		guests[0] = (struct guest){
			.options = {.name = "demo", .memory_size = DEMO_MEMORY, .cpu_count = 1},
			.image = {.bytes = demo_image,              .size = demo_image_size()                     },
		};
		return 1;
	}
	for (unsigned i = 0; i < boot->module_count; i++)
		count = add_module(&boot->modules[i], guests, count);
	return count;
}
