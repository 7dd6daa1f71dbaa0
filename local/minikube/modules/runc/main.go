// Command runc runs Debian's runc on a machine whose root lacks CAP_SYS_RESOURCE.
//
// Docker and containerd ask for more than such a root may give: the capability itself, a lower OOM score, higher limits of
// resources. runc then refuses the container. This program takes those wishes from the container's description first.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	debians    = "/usr/sbin/runc"
	capability = "CAP_SYS_RESOURCE"
)

func main() {
	if err := adapt(os.Args[1:]); err != nil {
		fail(err)
	}
	fail(syscall.Exec(debians, append([]string{debians}, os.Args[1:]...), os.Environ()))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "runc:", err)
	os.Exit(1)
}

// adapt changes the description of the process that a command starts: of a container, or of one more process in it.
func adapt(arguments []string) error {
	switch {
	case slices.Contains(arguments, "create"), slices.Contains(arguments, "run"):
		bundle := option(arguments, "--bundle", "-b")
		return rewrite(filepath.Join(bundle, "config.json"), func(container map[string]any) {
			if process, ok := container["process"].(map[string]any); ok {
				lower(process)
			}
		})
	case slices.Contains(arguments, "exec"):
		if file := option(arguments, "--process", "-p"); file != "" {
			return rewrite(file, lower)
		}
	}
	return nil
}

// option returns the value of an option, "" where it is not given.
func option(arguments []string, names ...string) string {
	for position, argument := range arguments {
		name, value, joined := strings.Cut(argument, "=")
		if !slices.Contains(names, name) {
			continue
		}
		if !joined && position+1 < len(arguments) {
			return arguments[position+1]
		}
		return value
	}
	return ""
}

func rewrite(file string, change func(map[string]any)) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber() // a float64 would not hold every number
	var description map[string]any
	if err := decoder.Decode(&description); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	change(description)
	changed, err := json.Marshal(description)
	if err != nil {
		return err
	}
	return os.WriteFile(file, changed, 0o600)
}

// lower asks for no more than this process has itself; without limits of its own a process inherits ours.
func lower(process map[string]any) {
	delete(process, "rlimits")
	if sets, ok := process["capabilities"].(map[string]any); ok {
		for name, set := range sets {
			if list, ok := set.([]any); ok {
				sets[name] = slices.DeleteFunc(list, func(held any) bool { return held == capability })
			}
		}
	}
	if wanted, ok := process["oomScoreAdj"].(json.Number); ok {
		if score, err := wanted.Int64(); err == nil && score < ownScore() {
			process["oomScoreAdj"] = ownScore()
		}
	}
}

// ownScore returns the score that children inherit; only CAP_SYS_RESOURCE allows a lower one (proc_pid_oom_score_adj(5)).
func ownScore() int64 {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return 0
	}
	score, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return score
}
