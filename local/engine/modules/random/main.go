// Command pulumi-resource-random bridges Terraform's random provider to Pulumi.
//
// The module's path lies below the provider's, since the provider keeps its resources in an internal package.
package main

import (
	"context"

	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	info "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	random "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// version is that of the Python SDK which the program imports, so that the engine pairs the two.
const version = "4.21.4"

func main() {
	provider := info.ProviderInfo{
		P:            bridge.ShimProvider(random.New()),
		Name:         "random",
		Version:      version,
		MetadataInfo: info.NewProviderMetadata([]byte(`{}`)),
	}
	token := func(module, name string) (string, error) {
		return tokens.MakeStandard("random")(module, "Random"+name)
	}
	provider.MustComputeTokens(tokens.SingleModule("random_", "index", token))
	bridge.Main(context.Background(), "random", provider, bridge.ProviderMetadata{
		PackageSchema: []byte(`{"name":"random"}`),
	})
}
