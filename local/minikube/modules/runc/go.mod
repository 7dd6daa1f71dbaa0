module local/minikube/runc

go 1.26
