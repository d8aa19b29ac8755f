//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestDeployedCommandsAreUnderstood runs every command of the crontab, of the systemd units and
// of the Kubernetes manifests with --help behind it: a flag that does not exist is a usage error.
func TestDeployedCommandsAreUnderstood(t *testing.T) {
	commands := deployed(t)
	for _, c := range kubernetes(t) {
		commands = append(commands, strings.Join(c.Args, " "))
	}
	if len(commands) < 18 {
		t.Fatalf("%d commands found in deploy/", len(commands))
	}
	for _, c := range commands {
		words := strings.Fields(c)
		name := filepath.Base(words[0])
		if code, _, stderr := run(t, time.Minute, binary(t, name), append(words[1:], "--help")...); code != 0 {
			t.Errorf("%s: status %d: %s", c, code, stderr)
		}
	}
}

// TestDeployedConfigurationsAreValid has every file of deploy/config checked by the program
// it is named after.
func TestDeployedConfigurationsAreValid(t *testing.T) {
	files, err := filepath.Glob("../deploy/config/*.yml")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d files in deploy/config: %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yml")
		if code, _, stderr := run(t, time.Minute, binary(t, name), "check-config", "--config.file="+path); code != 0 {
			t.Errorf("%s: status %d: %s", path, code, stderr)
		}
	}
}

// TestKustomizationIsComplete: every file that deploy/kustomization.yaml names is there, and
// every manifest and configuration is named.
func TestKustomizationIsComplete(t *testing.T) {
	var k struct {
		Resources          []string `json:"resources"`
		ConfigMapGenerator []struct {
			Files []string `json:"files"`
		} `json:"configMapGenerator"`
	}
	raw, err := os.ReadFile("../deploy/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, path := range append(k.Resources, k.ConfigMapGenerator[0].Files...) {
		named[filepath.Join("../deploy", path)] = true
	}
	for _, pattern := range []string{"../deploy/kubernetes/*", "../deploy/config/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if !named[path] {
				t.Errorf("%s is not in kustomization.yaml", path)
			}
			delete(named, path)
		}
	}
	for path := range named {
		t.Errorf("kustomization.yaml names %s, which is not there", path)
	}
}

// deployed returns the commands of the crontab and the systemd units.
func deployed(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../deploy/systemd/*.service")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`^ExecStart=(.*)$|^[0-9*/]+ [0-9*/]+ \* \* \* +inframind +(.*)$`)
	var out []string
	for _, path := range append(files, "../deploy/cron/inframind") {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for sc := bufio.NewScanner(f); sc.Scan(); {
			if m := command.FindStringSubmatch(sc.Text()); m != nil {
				out = append(out, m[1]+m[2])
			}
		}
		f.Close()
	}
	return out
}

// kubernetes reads the manifests as strictly as an API server does (a field that does not
// exist is an error) and returns their containers.
func kubernetes(t *testing.T) []corev1.Container {
	t.Helper()
	files, err := filepath.Glob("../deploy/kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in deploy/kubernetes: %v", err)
	}
	var out []corev1.Container
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, doc := range bytes.Split(raw, []byte("\n---\n")) {
			c, err := containers(doc)
			if err != nil {
				t.Errorf("%s, document %d: %v", path, i+1, err)
			}
			out = append(out, c...)
		}
	}
	return out
}

func containers(doc []byte) ([]corev1.Container, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return nil, err
	}
	switch head.Kind {
	case "CronJob":
		var o batchv1.CronJob
		err := yaml.UnmarshalStrict(doc, &o)
		return o.Spec.JobTemplate.Spec.Template.Spec.Containers, err
	case "StatefulSet":
		var o appsv1.StatefulSet
		err := yaml.UnmarshalStrict(doc, &o)
		return o.Spec.Template.Spec.Containers, err
	case "Service":
		return nil, yaml.UnmarshalStrict(doc, &corev1.Service{})
	default:
		return nil, yaml.UnmarshalStrict(doc, &corev1.PersistentVolumeClaim{})
	}
}
