// Command minikube is minikube with its docker driver alone: the other drivers would need libraries in C.
package main

import (
	"flag"
	"io"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	"k8s.io/minikube/cmd/minikube/cmd"
	"k8s.io/minikube/cmd/minikube/cmd/flags"
	"k8s.io/minikube/pkg/minikube/machine"
	"k8s.io/minikube/pkg/minikube/out"
	_ "k8s.io/minikube/pkg/minikube/registry/drvs/docker"
	_ "k8s.io/minikube/pkg/provision"
)

func main() {
	defer klog.Flush()
	parseLogFlags()
	machine.StartDriver(flags.CommandOptions())
	out.SetOutFile(os.Stdout)
	out.SetErrFile(os.Stderr)
	cmd.Execute()
}

// parseLogFlags reads klog's flags, which are Go's, before minikube's own, which are pflag's, are known.
func parseLogFlags() {
	all := pflag.CommandLine
	all.ParseErrorsAllowlist.UnknownFlags = true
	all.AddGoFlagSet(flag.CommandLine)
	all.BoolP("help", "h", false, "")
	pflag.Parse()
	if !all.Changed("logtostderr") {
		klog.LogToStderr(false)
	}
	if !all.Changed("log_file") {
		klog.SetOutput(io.Discard)
	}
}
