// cri-dockerd's place is taken by what it was made from: the kubelet's own dockershim, of the last
// version of Kubernetes that had one. It speaks v1alpha2, whose messages v1 has kept.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
	"k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cri/streaming"
	"k8s.io/kubernetes/pkg/kubelet/dockershim"
)

func main() {
	endpoint := flag.String("container-runtime-endpoint", "fd://", "")
	pause := flag.String("pod-infra-container-image", "", "")
	plugin := flag.String("network-plugin", "cni", "")
	hairpin := flag.String("hairpin-mode", "hairpin-veth", "")
	version := flag.Bool("version", false, "")
	flag.Parse()
	if *version {
		fmt.Println("cri-dockerd 0.0.0 (dockershim of Kubernetes v1.23.17)")
		return
	}
	service, err := serve(*pause, *plugin, *hairpin)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := listen(*endpoint)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(asV1(service).Serve(listener))
}

func serve(pause, plugin, hairpin string) (*grpc.Server, error) {
	docker := &dockershim.ClientConfig{
		DockerEndpoint:            "unix:///var/run/docker.sock",
		RuntimeRequestTimeout:     2 * time.Minute,
		ImagePullProgressDeadline: time.Minute,
	}
	streams := streaming.DefaultConfig
	streams.Addr = "127.0.0.1:0"
	network := &dockershim.NetworkPluginSettings{
		HairpinMode:        config.HairpinMode(hairpin),
		PluginName:         plugin,
		PluginConfDir:      "/etc/cni/net.d",
		PluginBinDirString: "/opt/cni/bin",
		PluginCacheDir:     "/var/lib/cni/cache",
	}
	shim, err := dockershim.NewDockerService(docker, pause, &streams, network, "", "", "/var/lib/cri-dockerd")
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(16<<20), grpc.MaxSendMsgSize(16<<20))
	cri.RegisterRuntimeServiceServer(server, shim)
	cri.RegisterImageServiceServer(server, shim)
	return server, shim.Start()
}

// asV1 lets a server of v1alpha2 answer for v1.
func asV1(service *grpc.Server) *http.Server {
	server := &http.Server{Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	server.Handler = http.HandlerFunc(func(reply http.ResponseWriter, request *http.Request) {
		request.URL.Path = strings.Replace(request.URL.Path, "/runtime.v1.", "/runtime.v1alpha2.", 1)
		service.ServeHTTP(reply, request)
	})
	return server
}

func listen(endpoint string) (net.Listener, error) {
	if endpoint == "fd://" { // systemd's: it listens already
		return net.FileListener(os.NewFile(3, "socket"))
	}
	path := strings.TrimPrefix(endpoint, "unix://")
	os.Remove(path)
	return net.Listen("unix", path)
}
