package imitate

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
)

var parts = regexp.MustCompile(`[#%&^=]\d+|§`)

const (
	hexDigits = "0123456789abcdef"
	podChars  = "bcdfghjklmnpqrstvwxz2456789"
	idChars   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	base64    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// Value makes a value from a pattern: #n is a number below n, %n hex digits, &n and ^n and =n
// letters and digits as in the names of pods, ids and base64, § a UUID.
func Value(r *rand.Rand, pattern string) string {
	return parts.ReplaceAllStringFunc(pattern, func(m string) string {
		if m == "§" {
			return fmt.Sprintf("%s-%s-4%s-a%s-%s", chars(r, hexDigits, 8), chars(r, hexDigits, 4), chars(r, hexDigits, 3), chars(r, hexDigits, 3), chars(r, hexDigits, 12))
		}
		n, err := strconv.Atoi(m[1:])
		if err != nil {
			return m
		}
		switch m[0] {
		case '%':
			return chars(r, hexDigits, n)
		case '&':
			return chars(r, podChars, n)
		case '^':
			return chars(r, idChars, n)
		case '=':
			return chars(r, base64, max(n-2, 0)) + "=="
		}
		return strconv.Itoa(r.IntN(max(n, 1)))
	})
}

func chars(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}
