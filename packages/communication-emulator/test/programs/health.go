package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	response, err := http.Get(os.Getenv("COMMUNICATION_SERVICES_ENDPOINT") + "_emulator/health")
	if err != nil {
		panic(err)
	}
	fmt.Println(response.Status)
}
