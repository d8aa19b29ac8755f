package label

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadWrite(t *testing.T) {
	in := "\ufeffMessage,label\n\"a, \"\"quoted\"\"\",Warning\nb\xff,noise\n"
	want := []Example{{Warning, "", `a, "quoted"`}, {Noise, "", "b\xff"}}
	got, err := Read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var b bytes.Buffer
	if err := Write(&b, got); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&b)
	if err != nil || cmp.Diff(want, again) != "" {
		t.Errorf("written and read again: %v %v", again, err)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "no header",
		"a,b\n":                     "want columns label and message",
		"label,message\nurgent,x\n": `line 2: category "urgent": want one of critical, warning, informational, noise`,
		"label,message\nnoise\n":    "line 2 has 1 columns, want 2",
	} {
		if _, err := Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("label,message\nnoise,x\n")
	f.Fuzz(func(t *testing.T, s string) {
		examples, err := Read(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, e := range examples {
			if e.Category >= Count {
				t.Errorf("category %d", e.Category)
			}
		}
	})
}
