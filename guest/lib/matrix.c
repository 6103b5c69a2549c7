/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs an instruction in every mode and groups the places by what happened there. */
#include "guest/lib/matrix.h"

#include "guest/lib/guest.h"

#define OUTCOME_MAX 40
#define CR4_OSXSAVE 0x40000
#define LINE_MAX    600

static const struct {
	const char *name;
	enum place_class class;
} places[PLACES] = {
	[REAL] = {"real",          CLASS_REAL       },
	[UNREAL] = {"unreal",        CLASS_REAL       },
	[PROTECTED16] = {"p16",           CLASS_PROTECTED  },
	[PROTECTED32] = {"p32",           CLASS_PROTECTED  },
	[PAGED16] = {"paged16",       CLASS_PROTECTED  },
	[PAGED32] = {"paged32",       CLASS_PROTECTED  },
	[PAE32] = {"pae",           CLASS_PROTECTED  },
	[USER16] = {"user16",        CLASS_USER       },
	[USER32] = {"user32",        CLASS_USER       },
	[V86] = {"v86",           CLASS_V86        },
	[COMPAT16] = {"compat16",      CLASS_COMPAT     },
	[COMPAT32] = {"compat32",      CLASS_COMPAT     },
	[COMPAT_USER32] = {"compat32-user", CLASS_COMPAT_USER},
	[LONG64] = {"long",          CLASS_LONG       },
	[LONG_USER64] = {"long-user",     CLASS_LONG_USER  },
};

static char outcomes[PLACES][OUTCOME_MAX];
static char line[LINE_MAX];
static unsigned line_length;

enum place_class place_class(enum place place)
{
	return places[place].class;
}

static void add(const char *text)
{
	while (*text && line_length < LINE_MAX - 1)
		line[line_length++] = *text++;
	line[line_length] = '\0';
}

static void keep(char *to, const char *text)
{
	unsigned i = 0;

	for (; text[i] && i < OUTCOME_MAX - 1; i++)
		to[i] = text[i];
	to[i] = '\0';
}

static const char *try(const struct matrix_row *row, enum place place)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.rax = row->rax;
	m.rcx = row->rcx;
	m.rdx = row->rdx;
	m.rbx = m.rdi = TEST_DATA;
	m.rflags |= row->rflags;
	m.cr4 |= row->cr4;
	if (row->prepare)
		row->prepare(&m, place);
	how = machine_try(&m, row->bytes, row->bytes + row->size);
	if (row->finish)
		row->finish();
	return how;
}

/* "done: real p16 ...; #GP(0): user16 ..." */
static void describe(void)
{
	bool told[PLACES] = {false};

	line_length = 0;
	for (unsigned i = 0; i < PLACES; i++) {
		if (told[i])
			continue;
		add(line_length ? "; " : "");
		add(outcomes[i]);
		add(":");
		for (unsigned j = i; j < PLACES; j++) {
			if (!same(outcomes[i], outcomes[j]))
				continue;
			told[j] = true;
			add(" ");
			add(places[j].name);
		}
	}
}

/* CR4.OSXSAVE is an error on a processor without XSAVE. */
static bool can_be_tried(const struct matrix_row *row)
{
	return !(row->cr4 & CR4_OSXSAVE) || cpuid(1, 0).ecx >> 26 & 1;
}

void matrix_tell(const struct matrix_row *row)
{
	if (!can_be_tried(row))
		return;
	for (enum place place = 0; place < PLACES; place++)
		keep(outcomes[place], try(row, place));
	describe();
	check(true, "%s: %s", row->name, line);
}

void matrix_check(const struct matrix_row *row, const char *reason)
{
	bool as_wanted = true;

	if (!can_be_tried(row))
		return;
	for (enum place place = 0; place < PLACES; place++) {
		const char *wanted = row->wanted[places[place].class];

		keep(outcomes[place], wanted ? try(row, place) : "(not tried)");
		as_wanted &= !wanted || same(outcomes[place], wanted);
	}
	describe();
	if (reason)
		check_virtual(as_wanted, reason, "%s: %s", row->name, line);
	else
		check(as_wanted, "%s: %s", row->name, line);
}

void same_cr0(struct machine *machine, enum place place)
{
	(void)place;
	machine->rax = machine->cr0;
}

void same_cr3(struct machine *machine, enum place place)
{
	(void)place;
	machine->rax = machine->cr3;
}

void same_cr4(struct machine *machine, enum place place)
{
	(void)place;
	machine->rax = machine->cr4;
}
