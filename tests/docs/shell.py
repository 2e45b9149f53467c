"""Shell scripts of the documents as lists of words, one list a command."""

import re
import shlex

HEREDOC = re.compile(r'(<<-?\s*[\'"]?(\w+)[\'"]?[^\n]*\n)(.*?\n)\s*\2\n', re.DOTALL)
COMMENT = re.compile(r'(^|\s)#.*$', re.MULTILINE)
BETWEEN = frozenset(';&|\n()')  # what ends a command
ASSIGNMENT = re.compile(r'([A-Za-z_]\w*)=(.*)')
# words that begin a command, but are not its name
LEADING = ('do', 'env', 'nice', 'time')


def tokens(script: str) -> list[str]:
    """Split a script into words and operators; comments and the contents of here-documents are left out."""
    bare = COMMENT.sub('', HEREDOC.sub(r'\1', script.replace('\\\n', ' ')))
    reader = shlex.shlex(bare, posix=True, punctuation_chars=';&|<>()\n')
    reader.whitespace = ' \t\r'
    reader.whitespace_split = True
    reader.commenters = ''
    return list(reader)


def commands(script: str) -> list[list[str]]:
    """Split a script into its commands.

    A loop is its body once, with the first value of its variable; a variable that a line sets is put where it is used.

    Args:
        script (str): As bash reads it.

    Returns:
        list[list[str]]: The words of each command, without redirections and without variables set for it.
    """
    found: list[list[str]] = [[]]
    redirected = False
    for token in tokens(script):
        if set(token) <= BETWEEN:
            found.append([])
        elif set(token) <= set('<>&'):
            redirected = True
        elif redirected:
            redirected = False
        else:
            found[-1].append(token)
    variables: dict[str, str] = {}
    return [words for words in (_bare(words, variables) for words in found) if words]


def _bare(words: list[str], variables: dict[str, str]) -> list[str]:
    """Put in variables, note those that are set, and return the rest of a command."""
    words = [_filled(word, variables) for word in words]
    while words and (words[0] in LEADING or ASSIGNMENT.fullmatch(words[0])):
        assigned = ASSIGNMENT.fullmatch(words.pop(0))
        if assigned:
            variables[assigned[1]] = assigned[2]
    if words[:1] == ['for']:
        variables[words[1]] = words[3]
    return [] if words[:1] in (['for'], ['done']) else words


def _filled(word: str, variables: dict[str, str]) -> str:
    for name, value in variables.items():
        word = re.sub(rf'\$(\{{{name}\}}|{name}\b)', value, word)
    return word
