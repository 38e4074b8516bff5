/* SPDX-License-Identifier: Apache-2.0 */
/* ctr completion: what a shell reads to complete the command lines of ctr. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/completion_words.h"
#include "cmd/ctr/verbs.h"

/* Each asks `ctr completion words` whenever somebody types a tab: nothing in them has to know what
 * ctr knows. */
static const char bash_text[] =
	"_ctr()\n"
	"{\n"
	"	local line=${COMP_LINE:0:COMP_POINT} words reply cut\n"
	"	read -ra words <<<\"$line\"\n"
	"	[[ $line == *[[:space:]] ]] && words+=(\"\")\n"
	"	mapfile -t COMPREPLY < <(\"${words[0]}\" completion words \"${words[@]:1}\" 2>/dev/null | cut -f1)\n"
	"	# Bash takes a word to begin behind : and =.\n"
	"	reply=${words[-1]} cut=${words[-1]%\"${words[-1]##*[:=]}\"}\n"
	"	[[ $reply == *[:=]* ]] && COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
	"	[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace\n"
	"	return 0\n"
	"}\n"
	"complete -o default -F _ctr ctr cellarctl\n";

static const char zsh_text[] =
	"#compdef ctr cellarctl\n"
	"_ctr()\n"
	"{\n"
	"	local -a found plain described\n"
	"	local one\n"
	"	found=(\"${(@f)$(\"${words[1]}\" completion words \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
	"	for one in $found; do\n"
	"		if [[ $one == *$'\\t'* ]]; then\n"
	"			described+=(\"${${one%%$'\\t'*}//:/\\\\:}:${one#*$'\\t'}\")\n"
	"		else\n"
	"			plain+=(\"$one\")\n"
	"		fi\n"
	"	done\n"
	"	(( $#described )) && _describe ctr described\n"
	"	(( $#plain )) && compadd -- $plain\n"
	"	(( $#described + $#plain )) || _files\n"
	"}\n"
	"if [[ $funcstack[1] == _ctr ]]; then _ctr \"$@\"; else compdef _ctr ctr cellarctl; fi\n";

static const char fish_text[] = "function __ctr_words\n"
				"	set -l words (commandline -opc) (commandline -ct)\n"
				"	$words[1] completion words $words[2..-1] 2>/dev/null\n"
				"end\n"
				"for name in ctr cellarctl\n"
				"	complete -c $name -a '(__ctr_words)'\n"
				"end\n";

static int completion_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	static const struct {
		const char *shell, *text;
	} shells[] = { { "bash", bash_text }, { "zsh", zsh_text }, { "fish", fish_text } };
	char **words;
	size_t count;
	int r = options_parse(&verb_completion.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	/* What they ask. */
	if (strcmp(words[0], "words") == 0) {
		completion_words(ctr, words + 1, count - 1);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (strcmp(words[0], shells[i].shell) == 0 && count == 1)
			return fputs(shells[i].text, stdout) < 0 ? err_set(err, errno, "write") : 0;
	return err_say(err, EINVAL, "there are bash, zsh and fish, not \"%s\"",
		       count > 1 ? words[1] : words[0]);
}

static const struct option_entry completion_options[] = { OPTION_END };

const struct verb verb_completion = {
	.command = {
		.name = "ctr completion",
		.args = "bash|zsh|fish",
		.summary = "print what a shell needs to complete command lines",
		.details = "Commands, options and the names of containers, images and volumes, and a cell's jobs and machines.\n"
			   "\n"
			   "Examples:\n"
			   "  source <(ctr completion bash)\n"
			   "  ctr completion zsh >/usr/share/zsh/site-functions/_ctr\n"
			   "  ctr completion fish >~/.config/fish/completions/ctr.fish",
		.options = completion_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = completion_verb,
};
