#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No operation has got dearer than docs/performance.md says.
exec tools/bench.py --check
