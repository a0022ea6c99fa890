package netpol

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The objects that most tests share: a server and a client in namespace "a", a guest in "b".
var (
	namespaces = []*corev1.Namespace{namespace("a", "team", "red"), namespace("b", "team", "blue")}
	server     = pod("a", "server", "198.18.0.2", "app", "server")
	client     = pod("a", "client", "198.18.0.3", "app", "client")
	guest      = pod("b", "guest", "198.18.0.4", "app", "client")
)

func namespace(name string, pairs ...string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: set(pairs)}}
}

func pod(namespace, name, address string, pairs ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace,
			Name:      name,
			UID:       types.UID(address),
			Labels:    set(pairs),
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
		}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: address},
	}
}

func set(pairs []string) map[string]string {
	result := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		result[pairs[i]] = pairs[i+1]
	}
	return result
}

func selector(pairs ...string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: set(pairs)}
}

func ingress(app string, rules ...networkingv1.NetworkPolicyIngressRule) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", UID: "in"},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: *selector("app", app),
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     rules,
		},
	}
}

func egress(app string, rules ...networkingv1.NetworkPolicyEgressRule) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", UID: "out"},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: *selector("app", app),
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
			Egress:      rules,
		},
	}
}

func from(peers ...networkingv1.NetworkPolicyPeer) networkingv1.NetworkPolicyIngressRule {
	return networkingv1.NetworkPolicyIngressRule{From: peers}
}

func number(port int32) *intstr.IntOrString {
	value := intstr.FromInt32(port)
	return &value
}

func name(port string) *intstr.IntOrString {
	value := intstr.FromString(port)
	return &value
}

func rulesFor(policies ...*networkingv1.NetworkPolicy) string {
	return Rules([]*corev1.Pod{server, client, guest}, namespaces, policies)
}

// chain returns the rules of one chain, without those that each pod's chain begins and ends with.
func chain(t *testing.T, rules, name string) []string {
	t.Helper()
	_, after, found := strings.Cut(rules, "\tchain "+name+" {\n")
	if !found {
		t.Fatalf("there is no chain %s in:\n%s", name, rules)
	}
	body, _, _ := strings.Cut(after, "\t}\n")
	var lines []string
	for line := range strings.Lines(body) {
		lines = append(lines, strings.TrimSpace(line))
	}
	if len(lines) < 2 || lines[len(lines)-1] != "counter drop" {
		t.Fatalf("chain %s does not end with a drop:\n%s", name, rules)
	}
	return lines[1 : len(lines)-1]
}

func TestWithoutPoliciesNothingIsFiltered(t *testing.T) {
	rules := rulesFor()
	if strings.Contains(rules, "drop") || strings.Contains(rules, "jump") {
		t.Errorf("a rule without a policy:\n%s", rules)
	}
	if !strings.HasPrefix(rules, "table ip kube-netpol\ndelete table ip kube-netpol\n") {
		t.Errorf("the table is not replaced:\n%s", rules)
	}
}

func TestAPolicyWithoutRulesDeniesItsDirectionOnly(t *testing.T) {
	rules := rulesFor(ingress("server"))
	if allowed := chain(t, rules, "in0"); len(allowed) != 0 {
		t.Errorf("allowed: %q", allowed)
	}
	if strings.Contains(rules, "eg0") {
		t.Errorf("egress is filtered too:\n%s", rules)
	}
	if !strings.Contains(rules, "ip daddr vmap { 198.18.0.2 : jump in0 }") {
		t.Errorf("the chain is not called:\n%s", rules)
	}
}

func TestPeers(t *testing.T) {
	block := func(cidr string, except ...string) networkingv1.NetworkPolicyPeer {
		return networkingv1.NetworkPolicyPeer{
			IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except},
		}
	}
	pods := func(pairs ...string) networkingv1.NetworkPolicyPeer {
		return networkingv1.NetworkPolicyPeer{PodSelector: selector(pairs...)}
	}
	team := func(name string) networkingv1.NetworkPolicyPeer {
		return networkingv1.NetworkPolicyPeer{NamespaceSelector: selector("team", name)}
	}
	both := networkingv1.NetworkPolicyPeer{
		NamespaceSelector: selector(),
		PodSelector:       selector("app", "client"),
	}
	for title, test := range map[string]struct {
		peers []networkingv1.NetworkPolicyPeer
		want  []string
	}{
		"none means everyone":        {nil, []string{"return"}},
		"pods of the same namespace": {one(pods("app", "client")), []string{"ip saddr { 198.18.0.3 } return"}},
		"all pods of a namespace":    {one(team("blue")), []string{"ip saddr { 198.18.0.4 } return"}},
		"pods of every namespace":    {one(both), []string{"ip saddr { 198.18.0.3, 198.18.0.4 } return"}},
		"nobody":                     {one(team("green")), nil},
		"a block":                    {one(block("10.0.0.0/8")), []string{"ip saddr 10.0.0.0/8 return"}},
		"a block with exceptions": {
			one(block("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16")),
			[]string{"ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16, 10.2.0.0/16 } return"},
		},
		"a block of IPv6": {one(block("fd00::/8")), nil},
		"two of them": {
			[]networkingv1.NetworkPolicyPeer{team("blue"), block("10.0.0.0/8")},
			[]string{"ip saddr { 198.18.0.4 } return", "ip saddr 10.0.0.0/8 return"},
		},
	} {
		t.Run(title, func(t *testing.T) {
			got := chain(t, rulesFor(ingress("server", from(test.peers...))), "in0")
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func one(peer networkingv1.NetworkPolicyPeer) []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{peer}
}

func TestPorts(t *testing.T) {
	type port = networkingv1.NetworkPolicyPort
	udp, end := corev1.ProtocolUDP, int32(90)
	for title, test := range map[string]struct {
		port port
		want []string
	}{
		"a number":     {port{Port: number(80)}, []string{"tcp dport 80 return"}},
		"a protocol":   {port{Protocol: &udp}, []string{"meta l4proto udp return"}},
		"a range":      {port{Port: number(80), EndPort: &end}, []string{"tcp dport 80-90 return"}},
		"both":         {port{Port: number(53), Protocol: &udp}, []string{"udp dport 53 return"}},
		"a name":       {port{Port: name("http")}, []string{"ip daddr 198.18.0.2 tcp dport 8080 return"}},
		"no such name": {port{Port: name("grpc")}, nil},
	} {
		t.Run(title, func(t *testing.T) {
			rule := networkingv1.NetworkPolicyIngressRule{Ports: []port{test.port}}
			got := chain(t, rulesFor(ingress("server", rule)), "in0")
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestANamedPortInEgressIsThatOfEachDestination(t *testing.T) {
	other := pod("a", "other", "198.18.0.5", "app", "server")
	other.Spec.Containers[0].Ports[0].ContainerPort = 9090
	policy := egress("client", networkingv1.NetworkPolicyEgressRule{
		To:    []networkingv1.NetworkPolicyPeer{{PodSelector: selector("app", "server")}},
		Ports: []networkingv1.NetworkPolicyPort{{Port: name("http")}},
	})
	rules := Rules([]*corev1.Pod{server, client, other}, namespaces, []*networkingv1.NetworkPolicy{policy})
	want := []string{
		"ip daddr { 198.18.0.2, 198.18.0.5 } ip daddr 198.18.0.2 tcp dport 8080 return",
		"ip daddr { 198.18.0.2, 198.18.0.5 } ip daddr 198.18.0.5 tcp dport 9090 return",
	}
	if got := chain(t, rules, "eg1"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEgressToTheNodeIsFilteredAndProbesAreNot(t *testing.T) {
	rules := rulesFor(ingress("server"), egress("client"))
	_, input, _ := strings.Cut(rules, "chain input {")
	if !strings.Contains(input, "ip saddr vmap { 198.18.0.3 : jump eg1 }") {
		t.Errorf("egress to the node is not filtered:\n%s", rules)
	}
	if strings.Contains(rules, "hook output") || strings.Contains(input, "daddr vmap") {
		t.Errorf("what the node sends is filtered:\n%s", rules)
	}
}

func TestPoliciesAddUp(t *testing.T) {
	type peer = networkingv1.NetworkPolicyPeer
	first := ingress("server", from(peer{PodSelector: selector("app", "client")}))
	second := ingress("server", from(peer{NamespaceSelector: selector("team", "blue")}))
	second.UID = "in2"
	want := []string{"ip saddr { 198.18.0.3 } return", "ip saddr { 198.18.0.4 } return"}
	if got := chain(t, rulesFor(first, second), "in0"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPodsWithoutAnAddressOfTheirOwnAreLeftOut(t *testing.T) {
	pending := pod("a", "pending", "", "app", "server")
	ended := pod("a", "ended", "198.18.0.6", "app", "server")
	ended.Status.Phase = corev1.PodSucceeded
	host := pod("a", "host", "198.18.128.1", "app", "server")
	host.Spec.HostNetwork = true
	rules := Rules([]*corev1.Pod{pending, ended, host}, namespaces,
		[]*networkingv1.NetworkPolicy{ingress("server")})
	if strings.Contains(rules, "drop") {
		t.Errorf("a rule for a pod that has no address of its own:\n%s", rules)
	}
}

func TestAPolicyOfAnotherNamespaceDoesNotApply(t *testing.T) {
	policy := ingress("server")
	policy.Namespace = "b"
	if rules := rulesFor(policy); strings.Contains(rules, "drop") {
		t.Errorf("it applies:\n%s", rules)
	}
}

func TestTheOrderOfObjectsDoesNotMatter(t *testing.T) {
	policies := []*networkingv1.NetworkPolicy{ingress("server"), egress("client")}
	pods := []*corev1.Pod{server, client, guest}
	want := Rules(pods, namespaces, policies)
	slices.Reverse(policies)
	slices.Reverse(pods)
	if got := Rules(pods, namespaces, policies); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
