/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest images: finds out what kind one is, and has its loader put it into a VM. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"
#include "vcpu/state.h"
#include "vcpu/vm.h"

/* What a VM is to be started with. The bytes are a module's, so none of them is to be trusted. */
struct guest_image {
	const void *bytes;
	uint64_t size;
	const void *initrd; /* NULL: none */
	uint64_t initrd_size;
	const char *initrd_name;  /* NULL: none */
	const char *command_line; /* NULL: empty */
};

/*
 * Loads an image into a VM whose memory is zero, and fills in the state in which its vCPU is to
 * start. `kind` becomes the name of the format, for messages. On an error the memory may have been
 * written in part; the text names what is wrong with the image, or what it is when it is of no kind
 * that can be started.
 */
CHECKED err_t image_load(struct vm *vm, const struct guest_image *image, struct vcpu_state *state,
			 const char **kind);

/* The command line, never NULL. */
static inline const char *image_command_line(const struct guest_image *image)
{
	return image->command_line ? image->command_line : "";
}

/* True when there is an initrd with bytes in it. */
static inline bool image_has_initrd(const struct guest_image *image)
{
	return image->initrd && image->initrd_size > 0;
}
