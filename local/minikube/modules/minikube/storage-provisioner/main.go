// Command storage-provisioner makes volumes of the class "standard" as minikube's own does. minikube 1.38.1's, built anew,
// ends at once: it elects a leader over Endpoints, which the client-go of that version cannot do any more. A cluster of one
// node needs no leader.
package main

import (
	"context"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/minikube/pkg/storage"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v6/controller"
)

const (
	name   = "k8s.io/minikube-hostpath"
	folder = "/tmp/hostpath-provisioner" // where minikube mounts the node's own folder
)

func main() {
	config, err := rest.InClusterConfig()
	if err != nil {
		klog.Exit(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		klog.Exit(err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		klog.Exit(err)
	}
	provisioner := storage.NewHostPathProvisioner(folder)
	alone := controller.LeaderElection(false)
	controller.NewProvisionController(client, name, provisioner, version.GitVersion, alone).Run(context.Background())
}
