// Command coredns is CoreDNS with the plugins that the local node's Corefile names, and with forward, by which the tests'
// pods ask other servers.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func init() {
	// The order is the order in which a query passes them, and is CoreDNS's own.
	dnsserver.Directives = []string{"ready", "health", "errors", "cache", "template", "kubernetes", "forward"}
}

func main() {
	coremain.Run()
}
