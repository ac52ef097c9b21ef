// A program as any team might have it: nothing in it knows of an emulator.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// Signs in as the application of AZURE_CLIENT_ID at AZURE_AUTHORITY_HOST.
func run(ctx context.Context) error {
	credential, err := azidentity.NewEnvironmentCredential(
		&azidentity.EnvironmentCredentialOptions{DisableInstanceDiscovery: true})
	if err != nil {
		return err
	}
	if err := createIdentity(ctx, credential); err != nil {
		return err
	}
	return provision(ctx, credential)
}

func createIdentity(ctx context.Context, credential *azidentity.EnvironmentCredential) error {
	scopes := []string{"https://communication.azure.com//.default"}
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes})
	if err != nil {
		return err
	}
	url := os.Getenv("COMMUNICATION_SERVICES_ENDPOINT") + "identities?api-version=2023-10-01"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var created struct{ Identity struct{ ID string } }
	if err := json.Unmarshal(body, &created); err != nil {
		return err
	}
	if created.Identity.ID == "" {
		return errors.New(string(body))
	}
	fmt.Println(created.Identity.ID, "created")
	return nil
}

// The calls that a Pulumi or Terraform provider makes.
func provision(ctx context.Context, credential *azidentity.EnvironmentCredential) error {
	manager := os.Getenv("ARM_ENDPOINT")
	options := &arm.ClientOptions{DisableRPRegistration: true}
	options.Cloud = cloud.Configuration{
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: manager, Audience: manager},
		},
	}
	clients, err := armresources.NewClientFactory(os.Getenv("ARM_SUBSCRIPTION_ID"), credential, options)
	if err != nil {
		return err
	}
	group := armresources.ResourceGroup{Location: to.Ptr("westeurope")}
	created, err := clients.NewResourceGroupsClient().CreateOrUpdate(ctx, "go", group, nil)
	if err != nil {
		return err
	}
	service := armresources.GenericResource{
		Location:   to.Ptr("global"),
		Properties: map[string]any{"dataLocation": "Europe"},
	}
	id := *created.ID + "/providers/Microsoft.Communication/communicationServices/calls"
	creation, err := clients.NewClient().BeginCreateOrUpdateByID(ctx, id, "2023-04-01", service, nil)
	if err != nil {
		return err
	}
	provisioned, err := creation.PollUntilDone(ctx, nil)
	if err != nil {
		return err
	}
	deletion, err := clients.NewClient().BeginDeleteByID(ctx, id, "2023-04-01", nil)
	if err != nil {
		return err
	}
	if _, err := deletion.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	groupDeletion, err := clients.NewResourceGroupsClient().BeginDelete(ctx, "go", nil)
	if err != nil {
		return err
	}
	if _, err := groupDeletion.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	fmt.Println(*provisioned.Name, "deleted")
	return nil
}
