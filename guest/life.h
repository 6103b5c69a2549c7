/* SPDX-License-Identifier: BSD-2-Clause */
/* One guest's way from its module to its end, as often as it is started. */
#pragma once

#include <stdbool.h>

#include "devices/pc.h"
#include "guest/modules.h"
#include "kernel/console.h"
#include "kernel/rtc.h"
#include "vcpu/vm.h"

struct life {
	const struct guest *guest;
	struct vm *vm; /* from life_begin to life_end */
	struct pc pc;
	struct console_stream stream;
	enum vm_end end; /* after life_run */
	uint32_t code;
};

struct life_options {
	unsigned id; /* of the VM: no two that run have the same */
	struct rtc_time date;
	bool check_entries;
};

/* In the order in which they are called; the middle ones once for each start. All on one processor.
 */
CHECKED err_t life_create(const struct guest *guest, struct life **life);
void life_open_console(struct life *life, bool raw);

/* Makes the VM and loads the image. After an error nothing of it is left. */
CHECKED err_t life_begin(struct life *life, const struct guest *guest,
			 const struct life_options *options);
void life_run(struct life *life);

/* Tells how it ended, and with `restart` above 0 that it is started again for that time. */
void life_report(struct life *life, unsigned restart);
void life_end(struct life *life);

/* Also closes the console. NULL is none. */
void life_destroy(struct life *life);
