package logline

import "testing"

func TestProgressIsOneLine(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{
			"(Reading database ... \r(Reading database ... 5%\r(Reading database ... 100%\r(Reading database ... 25334 files and directories currently installed.)",
			"(Reading database ... 100% (Reading database ... 25334 files and directories currently installed.)",
		},
		{"kernel panic\rall is well", "kernel panic all is well"},
		{"a line of DOS\r", "a line of DOS"},
		{"\r\r", ""},
	} {
		if got := Parse(tc.in, "").Message; got != tc.want {
			t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
		}
	}
}
