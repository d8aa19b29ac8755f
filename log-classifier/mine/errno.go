package mine

import "bytes"

// errorTexts are what strerror(3) and gai_strerror(3) return (POSIX and Linux; Go and other
// runtimes write them in lower case), and what Go, Java and Windows say in their place: values
// of a function, which programs put behind a colon or into brackets.
var errorTexts = [...]string{
	"operation not permitted", "no such file or directory", "no such process", "interrupted system call", "input/output error",
	"no such device or address", "argument list too long", "exec format error", "bad file descriptor", "no child processes",
	"resource temporarily unavailable", "cannot allocate memory", "permission denied", "bad address", "block device required",
	"device or resource busy", "file exists", "invalid cross-device link", "no such device", "not a directory", "is a directory",
	"invalid argument", "too many open files in system", "too many open files", "inappropriate ioctl for device", "text file busy",
	"file too large", "no space left on device", "illegal seek", "read-only file system", "too many links", "broken pipe",
	"numerical argument out of domain", "numerical result out of range", "resource deadlock avoided", "file name too long",
	"no locks available", "function not implemented", "directory not empty", "too many levels of symbolic links",
	"link has been severed", "protocol error", "value too large for defined data type", "socket operation on non-socket",
	"message too long", "protocol not available", "protocol not supported", "operation not supported", "address already in use",
	"cannot assign requested address", "network is down", "network is unreachable", "network dropped connection on reset",
	"software caused connection abort", "connection reset by peer", "no buffer space available",
	"transport endpoint is already connected", "transport endpoint is not connected", "connection timed out", "connection refused",
	"host is down", "no route to host", "operation already in progress", "operation now in progress", "stale file handle",
	"stale nfs file handle", "structure needs cleaning", "remote i/o error", "disk quota exceeded", "no medium found",
	"wrong medium type", "operation canceled", "required key not available", "key has expired", "owner died",
	"state not recoverable", "unknown error", "name or service not known", "temporary failure in name resolution",
	"non-recoverable failure in name resolution", "no address associated with hostname", "host not found", "nodename nor servname provided, or not known",
	"i/o timeout", "unexpected eof", "eof", "context deadline exceeded", "context canceled", "use of closed network connection",
	"operation timed out", "connection closed by remote host", "connection reset", "connection timeout", "no such host", "read timed out",
	"connect timed out", "undefined error", "access is denied.", "the system cannot find the file specified.", "the network path was not found.",
	"the rpc server is unavailable.",
}

// errorsByWord are the texts in words, by the first of them.
type errorsByWord map[string][][][]byte

func newErrors() errorsByWord {
	out := errorsByWord{}
	for _, text := range errorTexts {
		words := bytes.Fields([]byte(text))
		out[string(words[0])] = append(out[string(words[0])], words)
	}
	return out
}

// at returns how many words at the start of ws are an error's text, and what follows it in
// the last of them. It looks behind an opening bracket.
func (e errorsByWord) at(ws [][]byte) (n int, tail []byte) {
	first := bytes.TrimLeft(ws[0], "(")
	if len(first) < 2 || len(first) > 15 {
		return 0, nil
	}
	var lower [16]byte
	end := 0
	for end < len(first) && first[end] != ')' && first[end] != ',' && first[end] != ';' {
		lower[end] = first[end]
		if c := first[end]; c >= 'A' && c <= 'Z' {
			lower[end] = c + 'a' - 'A'
		}
		end++
	}
	for _, words := range e[string(lower[:end])] {
		if len(words) > len(ws) || len(words) <= n {
			continue
		}
		if rest, ok := follows(first, ws[1:], words); ok {
			n, tail = len(words), rest
		}
	}
	return n, tail
}

// follows tells whether first and the words after it are those of an error, and what else
// there is in the last of them: signs only.
func follows(first []byte, ws [][]byte, words [][]byte) (rest []byte, ok bool) {
	for i, want := range words {
		w := first
		if i > 0 {
			w = ws[i-1]
		}
		if len(w) < len(want) || !bytes.EqualFold(w[:len(want)], want) {
			return nil, false
		}
		rest = w[len(want):]
		if len(rest) > 0 && (i+1 < len(words) || isLetter(rest[0])) {
			return nil, false
		}
	}
	return rest, true
}
