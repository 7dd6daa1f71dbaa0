// Command pulumi-resource-gcp bridges Terraform's Google provider to Pulumi, as far as the program uses it.
//
// It stands in for the released plugin on machines that can't download one.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// version is that of the Python SDK which the program imports, so that the engine pairs the two.
const version = "10.2.0"

// resources maps Terraform's resource types to the module and name of Pulumi's.
var resources = map[string][2]string{
	"google_compute_global_address":        {"compute", "GlobalAddress"},
	"google_service_account":               {"serviceaccount", "Account"},
	"google_service_account_iam_member":    {"serviceaccount", "IAMMember"},
	"google_service_account_key":           {"serviceaccount", "Key"},
	"google_service_networking_connection": {"servicenetworking", "Connection"},
	"google_sql_database":                  {"sql", "Database"},
	"google_sql_database_instance":         {"sql", "DatabaseInstance"},
	"google_sql_user":                      {"sql", "User"},
	"google_storage_bucket":                {"storage", "Bucket"},
	"google_storage_bucket_iam_member":     {"storage", "BucketIAMMember"},
}

func main() {
	info := tfbridge.ProviderInfo{
		P:              shim.NewProvider(provider()),
		Name:           "gcp",
		ResourcePrefix: "google",
		Version:        version,
		Resources:      map[string]*tfbridge.ResourceInfo{},
	}
	for terraform, pulumi := range resources {
		info.Resources[terraform] = &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource("gcp", pulumi[0], pulumi[1])}
	}
	tfbridge.Main("gcp", version, info, []byte(`{"name":"gcp","version":"`+version+`"}`))
}
