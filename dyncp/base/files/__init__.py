# SPDX-License-Identifier: Apache-2.0
"""Files and folders that are there whole or not at all, whenever the process is killed or the power fails.

Every output of every command is written through `new_file`, `replace_file` or `replace_folder`; every path is checked
by `outputs` before the work begins; what is read is bounded and checked by `reading` and `sealed` (docs/assurance.md).
POSIX only: locks, hard links and the exchange of two folders in one system call.
"""

from dyncp.base.files.folders import replace_folder as replace_folder
from dyncp.base.files.journal import settle as settle
from dyncp.base.files.single import new_file as new_file
from dyncp.base.files.single import new_text as new_text
from dyncp.base.files.single import replace_file as replace_file
