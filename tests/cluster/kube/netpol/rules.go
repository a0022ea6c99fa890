// Package netpol turns NetworkPolicy objects into nftables rules for one node.
//
// All of networking.k8s.io/v1 is covered for IPv4: pod and namespace selectors, address blocks with
// exceptions, numeric, ranged and named ports, both directions. Answers on an established connection
// pass. The node itself reaches every pod, as the kubelet's probes must.
package netpol

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Table is the nftables table that holds every rule, and nothing else.
const Table = "ip kube-netpol"

// priority places our chains before those that filter, after those that translate addresses: a
// policy sees the pod behind a Service, and the port that the pod listens on.
const priority = -5

// cluster is what the rules are made from.
type cluster struct {
	pods       []*corev1.Pod // those that have an address of their own
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

// Rules returns the input of `nft -f -` that replaces the table, atomically. The same objects give
// the same text, in whatever order they come.
func Rules(
	pods []*corev1.Pod,
	namespaces []*corev1.Namespace,
	policies []*networkingv1.NetworkPolicy,
) string {
	c := newCluster(pods, namespaces, policies)
	var chains, ingress, egress []string
	for index, pod := range c.pods {
		in, out := c.rulesOf(pod)
		if in.isolated {
			name := fmt.Sprintf("in%d", index)
			chains = append(chains, podChain(name, pod, in.allowed))
			ingress = append(ingress, pod.Status.PodIP+" : jump "+name)
		}
		if out.isolated {
			name := fmt.Sprintf("eg%d", index)
			chains = append(chains, podChain(name, pod, out.allowed))
			egress = append(egress, pod.Status.PodIP+" : jump "+name)
		}
	}

	// The forward hook sees what goes from pod to pod; the input hook, what goes to the node.
	var forward, input []string
	if len(egress) > 0 {
		byPod := "ip saddr vmap { " + strings.Join(egress, ", ") + " }"
		forward, input = append(forward, byPod), append(input, byPod)
	}
	if len(ingress) > 0 {
		forward = append(forward, "ip daddr vmap { "+strings.Join(ingress, ", ")+" }")
	}

	// Naming the table before its deletion makes the deletion succeed when there is none.
	return "table " + Table + "\ndelete table " + Table + "\ntable " + Table + " {\n" +
		strings.Join(chains, "") +
		baseChain("forward", forward) +
		baseChain("input", input) +
		"}\n"
}

func newCluster(
	pods []*corev1.Pod,
	namespaces []*corev1.Namespace,
	policies []*networkingv1.NetworkPolicy,
) *cluster {
	c := &cluster{namespaces: map[string]labels.Set{}, policies: slices.Clone(policies)}
	for _, pod := range pods {
		if hasOwnAddress(pod) {
			c.pods = append(c.pods, pod)
		}
	}
	for _, namespace := range namespaces {
		c.namespaces[namespace.Name] = namespace.Labels
	}
	slices.SortFunc(c.pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.UID, b.UID) })
	slices.SortFunc(c.policies, func(a, b *networkingv1.NetworkPolicy) int {
		return cmp.Compare(a.UID, b.UID)
	})
	return c
}

// hasOwnAddress tells whether policies apply to the pod: it must run, in a network of its own.
func hasOwnAddress(pod *corev1.Pod) bool {
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	return pod.Status.PodIP != "" && !pod.Spec.HostNetwork && !ended
}

// direction is what the policies say about one pod's traffic in one direction.
type direction struct {
	isolated bool     // some policy applies: what none allows is dropped
	allowed  []string // the matches of what is allowed
}

// rulesOf gathers what every policy that selects the pod says about it.
func (c *cluster) rulesOf(pod *corev1.Pod) (ingress, egress direction) {
	itself := []*corev1.Pod{pod}
	for _, policy := range c.policies {
		if policy.Namespace != pod.Namespace || !selects(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		types := policy.Spec.PolicyTypes
		if slices.Contains(types, networkingv1.PolicyTypeIngress) {
			ingress.isolated = true
			for _, rule := range policy.Spec.Ingress {
				for _, peer := range c.peers(policy.Namespace, "saddr", rule.From) {
					ingress.allow(peer.match, ports(itself, rule.Ports))
				}
			}
		}
		if slices.Contains(types, networkingv1.PolicyTypeEgress) {
			egress.isolated = true
			for _, rule := range policy.Spec.Egress {
				for _, peer := range c.peers(policy.Namespace, "daddr", rule.To) {
					egress.allow(peer.match, ports(peer.pods, rule.Ports))
				}
			}
		}
	}
	return ingress, egress
}

func (d *direction) allow(peer string, ports []string) {
	for _, port := range ports {
		d.allowed = append(d.allowed, peer+port)
	}
}

// podChain is the chain for one pod in one direction: what is allowed returns, the rest is dropped.
func podChain(name string, pod *corev1.Pod, allowed []string) string {
	var b strings.Builder
	address := pod.Status.PodIP
	fmt.Fprintf(&b, "\tchain %s {\n", name)
	fmt.Fprintf(&b, "\t\tip saddr %s ip daddr %s return\n", address, address)
	for _, match := range allowed {
		fmt.Fprintf(&b, "\t\t%sreturn\n", match)
	}
	b.WriteString("\t\tcounter drop\n\t}\n")
	return b.String()
}

// baseChain is a chain that the kernel calls: it hands the packets of isolated pods to their chains.
func baseChain(hook string, rules []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\tchain %s {\n", hook)
	fmt.Fprintf(&b, "\t\ttype filter hook %s priority %d; policy accept;\n", hook, priority)
	b.WriteString("\t\tct state established,related accept\n")
	for _, rule := range rules {
		fmt.Fprintf(&b, "\t\t%s\n", rule)
	}
	b.WriteString("\t}\n")
	return b.String()
}

// selects tells whether the selector matches; one that cannot be read matches nothing.
func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}
