package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"tntc.test/cluster/kube/netpol"
)

// settle is how long changes are gathered before the rules are made anew.
const settle = 50 * time.Millisecond

// newNetpolCommand makes the component that enforces network policies on this node.
func newNetpolCommand() *cobra.Command {
	var kubeconfig string
	command := &cobra.Command{
		Use:   "netpol",
		Short: "Enforces NetworkPolicy objects with nftables",
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return enforce(ctx, kubeconfig)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig file")
	return command
}

// enforce keeps the kernel's rules in step with the cluster's pods, namespaces and policies.
func enforce(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	changed, err := watch(factory)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	loaded := ""
	for {
		rules, err := rulesFrom(factory)
		if err != nil {
			return err
		}
		if rules != loaded {
			if err := load(ctx, rules); err != nil {
				klog.ErrorS(err, "the rules were not loaded; trying again in a second")
				time.AfterFunc(time.Second, func() { poke(changed) })
			} else {
				loaded = rules
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			time.Sleep(settle)
		}
	}
}

// watch returns a channel on which there is a value whenever something has changed.
func watch(factory informers.SharedInformerFactory) (chan struct{}, error) {
	changed := make(chan struct{}, 1)
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { poke(changed) },
		UpdateFunc: func(any, any) { poke(changed) },
		DeleteFunc: func(any) { poke(changed) },
	}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().Pods().Informer(),
		factory.Core().V1().Namespaces().Informer(),
		factory.Networking().V1().NetworkPolicies().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

func poke(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default: // there already is a value
	}
}

// rulesFrom makes the rules for what the informers know now.
func rulesFrom(factory informers.SharedInformerFactory) (string, error) {
	pods, err := factory.Core().V1().Pods().Lister().List(labels.Everything())
	if err != nil {
		return "", err
	}
	namespaces, err := factory.Core().V1().Namespaces().Lister().List(labels.Everything())
	if err != nil {
		return "", err
	}
	policies, err := factory.Networking().V1().NetworkPolicies().Lister().List(labels.Everything())
	if err != nil {
		return "", err
	}
	return netpol.Rules(pods, namespaces, policies), nil
}

// load replaces the kernel's rules, all at once.
func load(ctx context.Context, rules string) error {
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if output, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, output)
	}
	return nil
}
