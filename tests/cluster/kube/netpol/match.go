package netpol

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// peer is one side that a rule allows: the match for its addresses, and the pods that they stand
// for, which named ports are looked up in.
type peer struct {
	match string
	pods  []*corev1.Pod
}

// peers returns the matches for a rule's peers, seen from the policy's namespace. The field is
// `saddr` for ingress and `daddr` for egress. A rule without peers allows every address.
func (c *cluster) peers(namespace, field string, from []networkingv1.NetworkPolicyPeer) []peer {
	if len(from) == 0 {
		return []peer{{match: "", pods: c.pods}}
	}
	var result []peer
	for i := range from {
		if from[i].IPBlock != nil {
			if match := blockMatch(field, from[i].IPBlock); match != "" {
				result = append(result, peer{match: match})
			}
			continue
		}
		pods := c.selected(namespace, &from[i])
		if len(pods) == 0 {
			continue
		}
		var addresses []string
		for _, pod := range pods {
			addresses = append(addresses, pod.Status.PodIP)
		}
		match := fmt.Sprintf("ip %s { %s } ", field, strings.Join(addresses, ", "))
		result = append(result, peer{match: match, pods: pods})
	}
	return result
}

// blockMatch matches a block of addresses without its exceptions; nothing for an IPv6 block.
func blockMatch(field string, block *networkingv1.IPBlock) string {
	if strings.Contains(block.CIDR, ":") {
		return ""
	}
	match := fmt.Sprintf("ip %s %s ", field, block.CIDR)
	if len(block.Except) > 0 {
		match += fmt.Sprintf("ip %s != { %s } ", field, strings.Join(block.Except, ", "))
	}
	return match
}

// selected returns the pods that a peer with selectors means: those of the policy's own namespace
// when it selects no namespaces, all of a namespace when it selects no pods.
func (c *cluster) selected(namespace string, p *networkingv1.NetworkPolicyPeer) []*corev1.Pod {
	var result []*corev1.Pod
	for _, pod := range c.pods {
		inNamespace := pod.Namespace == namespace
		if p.NamespaceSelector != nil {
			inNamespace = selects(p.NamespaceSelector, c.namespaces[pod.Namespace])
		}
		if inNamespace && (p.PodSelector == nil || selects(p.PodSelector, pod.Labels)) {
			result = append(result, pod)
		}
	}
	return result
}

// ports returns the matches for a rule's ports. A rule without ports allows every port. A named port
// is another number in each of the pods that are connected to.
func ports(destinations []*corev1.Pod, from []networkingv1.NetworkPolicyPort) []string {
	if len(from) == 0 {
		return []string{""}
	}
	var result []string
	for _, port := range from {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case port.Port == nil:
			result = append(result, "meta l4proto "+protocol+" ")
		case port.Port.Type == intstr.String:
			result = append(result, namedPort(destinations, port.Port.StrVal, protocol)...)
		case port.EndPort != nil:
			result = append(result,
				fmt.Sprintf("%s dport %d-%d ", protocol, port.Port.IntVal, *port.EndPort))
		default:
			result = append(result, fmt.Sprintf("%s dport %d ", protocol, port.Port.IntVal))
		}
	}
	return result
}

// namedPort returns a match for each pod that has a port of that name.
func namedPort(pods []*corev1.Pod, name, protocol string) []string {
	var result []string
	for _, pod := range pods {
		containers := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
		for i := range containers {
			for _, port := range containers[i].Ports {
				if port.Name != name || protocolOf(port) != protocol {
					continue
				}
				match := fmt.Sprintf("ip daddr %s %s dport %d ",
					pod.Status.PodIP, protocol, port.ContainerPort)
				if !slices.Contains(result, match) {
					result = append(result, match)
				}
			}
		}
	}
	return result
}

func protocolOf(port corev1.ContainerPort) string {
	if port.Protocol == "" {
		return "tcp"
	}
	return strings.ToLower(string(port.Protocol))
}
