// Scan reads Kubernetes manifests on standard input, and prints what two scanners find in them: kube-score with all of
// its checks, and Kubernetes' own Pod Security admission at the level `restricted`. A line of JSON is a finding.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/zegl/kube-score/config"
	"github.com/zegl/kube-score/domain"
	"github.com/zegl/kube-score/parser"
	"github.com/zegl/kube-score/score"
	"github.com/zegl/kube-score/score/checks"
	"github.com/zegl/kube-score/scorecard"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// A finding is one check that one object does not pass.
type finding struct {
	Scanner string `json:"scanner"`
	Check   string `json:"check"`
	Object  string `json:"object"`
	Message string `json:"message"`
}

func main() {
	if err := scan(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		os.Exit(1)
	}
}

func scan(input io.Reader, output io.Writer) error {
	manifests, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	scored, err := kubeScore(manifests)
	if err != nil {
		return fmt.Errorf("kube-score: %w", err)
	}
	refused, err := podSecurity(manifests)
	if err != nil {
		return fmt.Errorf("Pod Security: %w", err)
	}
	encoder := json.NewEncoder(output)
	for _, it := range append(scored, refused...) {
		if err := encoder.Encode(it); err != nil {
			return err
		}
	}
	return nil
}

// A file for kube-score.
type file struct{ io.Reader }

func (file) Name() string { return "standard input" }

// kubeScore gives what any check of kube-score warns of.
func kubeScore(manifests []byte) ([]finding, error) {
	all := map[string]struct{}{}
	for _, check := range score.RegisterAllChecks(parser.Empty(), nil, nil).All() {
		all[check.ID] = struct{}{}
	}
	settings := &config.RunConfiguration{
		EnabledOptionalTests:  all,
		KubernetesVersion:     config.Semver{Major: 1, Minor: 34},
		MinReplicasDeployment: 2,
		MinReplicasHPA:        2,
	}
	reader, err := parser.New(&parser.Config{})
	if err != nil {
		return nil, err
	}
	parsed, err := reader.ParseFiles([]domain.NamedReader{file{bytes.NewReader(manifests)}})
	if err != nil {
		return nil, err
	}
	card, err := score.Score(parsed, score.RegisterAllChecks(parsed, &checks.Config{}, settings), settings)
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, object := range *card {
		name := object.TypeMeta.Kind + "/" + object.ObjectMeta.Name
		for _, check := range object.Checks {
			if check.Skipped || check.Grade >= scorecard.GradeAlmostOK {
				continue
			}
			found = append(found, finding{"kube-score", check.Check.ID, name, comments(check)})
		}
	}
	sort.Slice(found, func(i, j int) bool {
		return found[i].Object+found[i].Check < found[j].Object+found[j].Check
	})
	return found, nil
}

func comments(check scorecard.TestScore) string {
	text := check.Check.Comment
	for _, comment := range check.Comments {
		text += "; " + comment.Path + ": " + comment.Summary
	}
	return text
}

// podSecurity gives what the admission of a namespace that enforces `restricted` would refuse.
func podSecurity(manifests []byte) ([]finding, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return nil, err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	var found []finding
	for {
		var document json.RawMessage
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		name, meta, spec, err := podOf(document)
		if err != nil {
			return nil, err
		}
		if spec == nil {
			continue
		}
		for _, result := range evaluator.EvaluatePod(level, meta, spec) {
			if !result.Allowed {
				message := result.ForbiddenReason + ": " + result.ForbiddenDetail
				found = append(found, finding{"pod-security", result.ForbiddenReason, name, message})
			}
		}
	}
}

// podOf gives the pod of an object that makes pods; no spec for others.
func podOf(document []byte) (string, *metav1.ObjectMeta, *corev1.PodSpec, error) {
	var object struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
	}
	if err := json.Unmarshal(document, &object); err != nil {
		return "", nil, nil, err
	}
	name := object.Kind + "/" + object.Name
	switch object.Kind {
	case "Deployment":
		var it appsv1.Deployment
		err := json.Unmarshal(document, &it)
		return name, &it.Spec.Template.ObjectMeta, &it.Spec.Template.Spec, err
	case "CronJob":
		var it batchv1.CronJob
		err := json.Unmarshal(document, &it)
		template := &it.Spec.JobTemplate.Spec.Template
		return name, &template.ObjectMeta, &template.Spec, err
	case "Job":
		var it batchv1.Job
		err := json.Unmarshal(document, &it)
		return name, &it.Spec.Template.ObjectMeta, &it.Spec.Template.Spec, err
	case "Pod":
		var it corev1.Pod
		err := json.Unmarshal(document, &it)
		return name, &it.ObjectMeta, &it.Spec, err
	case "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController":
		return "", nil, nil, fmt.Errorf("%s makes pods, and is not looked at", name)
	default:
		return name, nil, nil, nil
	}
}
