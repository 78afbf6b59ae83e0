# SPDX-License-Identifier: Apache-2.0
"""`load_corpus` where scripts import it from; all else of a corpus lives in `corpora`."""

from dyncp.train.corpora.corpus import load_corpus as load_corpus
