# SPDX-License-Identifier: MIT
# usage: zsh -f tab.zsh DIRECTORY TYPED WORD
# A fresh interactive zsh with DIRECTORY's completions, in a terminal of its own: what is TYPED, then
# TAB. Ends once WORD is on the screen; the caller's timeout ends it if it never is.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; stty -echo columns 200; echo REA''DY"
zpty -r -m shell screen '*READY*'
zpty -w -n shell "$2"$'\t'
zpty -r -m shell screen "*$3*"
