/* See cmdline.h. One reader of words, next_word; everything else looks at what it found. */
#include "lib/cmdline.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

/* Parts of the command line, quotes removed. */
struct word {
	const char *key, *value; /* value: NULL where there is no '=' */
	size_t key_len, value_len;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void value_unquote(struct word *word)
{
	if (!word->value_len || word->value[0] != '"')
		return;
	word->value++;
	word->value_len--;
	if (word->value_len && word->value[word->value_len - 1] == '"')
		word->value_len--;
}

/* False at the end of the line or at --; *LINE is then there. */
static bool next_word(const char **line, struct word *word)
{
	const char *at = *line, *start, *equals = NULL;
	bool quoted = false;

	while (is_space(*at))
		at++;
	*line = at;
	if (!*at || (at[0] == '-' && at[1] == '-' && (!at[2] || is_space(at[2]))))
		return false;
	for (start = at; *at && (quoted || !is_space(*at)); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '=' && !equals)
			equals = at;
	}
	*line = at;
	if (*start == '"') {
		start++;
		/* The quote that closes it, which is not the one that opened it. */
		if (at > start && at[-1] == '"')
			at--;
	}
	*word = (struct word){ .key = start, .key_len = (size_t)((equals ? equals : at) - start) };
	if (equals) {
		word->value = equals + 1;
		word->value_len = at > equals ? (size_t)(at - equals - 1) : 0;
		value_unquote(word);
	}
	return true;
}

static bool is_key(const struct word *word, const char *key)
{
	size_t i;

	for (i = 0; i < word->key_len && key[i]; i++) {
		char a = word->key[i] == '-' ? '_' : word->key[i], b = key[i] == '-' ? '_' : key[i];

		if (a != b)
			return false;
	}
	return i == word->key_len && !key[i];
}

bool cmdline_next(const char **line, const char *key, char *value, size_t size)
{
	struct word word;

	while (next_word(line, &word)) {
		if (!is_key(&word, key) || word.value_len >= size)
			continue;
		if (word.value_len)
			memcpy(value, word.value, word.value_len);
		value[word.value_len] = '\0';
		return true;
	}
	return false;
}

bool cmdline_get(const char *line, const char *key, char *value, size_t size)
{
	bool found = false;

	while (cmdline_next(&line, key, value, size))
		found = true;
	return found;
}

const char *cmdline_program(const char *line)
{
	struct word word;

	while (next_word(&line, &word))
		;
	if (*line)
		line += 2;
	while (is_space(*line))
		line++;
	return line;
}

/* The digit's value in BASE, or 255. */
static unsigned digit(char c, unsigned base)
{
	unsigned value = 255;

	if (c >= '0' && c <= '9')
		value = (unsigned)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		value = (unsigned)((c | 0x20) - 'a') + 10;
	return value < base ? value : 255;
}

/* Steps over a suffix; the power of 2 that it stands for. */
static unsigned suffix(const char **text)
{
	static const char letters[] = "kmgt";
	const char *letter = **text ? strchr(letters, **text | 0x20) : NULL;

	if (!letter || !*letter)
		return 0;
	++*text;
	return 10 * (unsigned)(letter - letters + 1);
}

int parse_u64(const char *text, uint64_t *value)
{
	unsigned base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10, shift;
	bool overflow = false;
	uint64_t number = 0;

	if (base == 16)
		text += 2;
	if (digit(*text, base) == 255)
		return -EINVAL;
	for (; digit(*text, base) != 255; text++) {
		overflow |= __builtin_mul_overflow(number, base, &number);
		overflow |= __builtin_add_overflow(number, digit(*text, base), &number);
	}
	shift = suffix(&text);
	if (*text)
		return -EINVAL;
	if (overflow || number << shift >> shift != number)
		return -ERANGE;
	*value = number << shift;
	return 0;
}
