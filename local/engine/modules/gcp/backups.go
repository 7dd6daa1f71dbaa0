package main

import (
	google "github.com/hashicorp/terraform-provider-google/google/provider"
	"github.com/hashicorp/terraform-provider-google/google/services/sql"
	"github.com/hashicorp/terraform-provider-google/google/tpgresource"
	transport "github.com/hashicorp/terraform-provider-google/google/transport"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"google.golang.org/api/sqladmin/v1beta4"
)

const (
	retainKey = "retain_backups_on_delete"
	finalKey  = "final_backup_config"
)

// provider returns Terraform's provider with two settings of Cloud SQL that its release lacks and the Python SDK has:
// whether backups outlive the instance, and the backup that is taken when it is deleted.
func provider() *schema.Provider {
	provider := google.Provider()
	instance := provider.ResourcesMap["google_sql_database_instance"]
	settings := instance.Schema["settings"].Elem.(*schema.Resource).Schema
	settings[retainKey] = &schema.Schema{Type: schema.TypeBool, Optional: true}
	settings[finalKey] = &schema.Schema{
		Type: schema.TypeList, Optional: true, MaxItems: 1,
		Elem: &schema.Resource{Schema: map[string]*schema.Schema{
			"enabled":        {Type: schema.TypeBool, Optional: true},
			"retention_days": {Type: schema.TypeInt, Optional: true},
		}},
	}
	create, read, update := instance.Create, instance.Read, instance.Update
	instance.Create = writing(create, schema.TimeoutCreate)
	instance.Update = writing(update, schema.TimeoutUpdate)
	instance.Read = func(d *schema.ResourceData, meta any) error {
		if err := read(d, meta); err != nil || d.Id() == "" {
			return err
		}
		return readBackups(d, meta.(*transport.Config))
	}
	return provider
}

// writing adds the two settings to what the provider writes, which reads all others back from the answer.
func writing(write func(*schema.ResourceData, any) error, timeout string) func(*schema.ResourceData, any) error {
	return func(d *schema.ResourceData, meta any) error {
		wanted, config := wantedBackups(d), meta.(*transport.Config)
		if err := write(d, meta); err != nil {
			return err
		}
		if err := patchBackups(d, config, wanted, timeout); err != nil {
			return err
		}
		return readBackups(d, config)
	}
}

func wantedBackups(d *schema.ResourceData) *sqladmin.Settings {
	wanted := &sqladmin.Settings{ForceSendFields: []string{"RetainBackupsOnDelete"}}
	wanted.RetainBackupsOnDelete, _ = d.Get("settings.0." + retainKey).(bool)
	if blocks, _ := d.Get("settings.0." + finalKey).([]any); len(blocks) == 1 && blocks[0] != nil {
		block := blocks[0].(map[string]any)
		wanted.FinalBackupConfig = &sqladmin.FinalBackupConfig{
			Enabled:         block["enabled"].(bool),
			RetentionDays:   int64(block["retention_days"].(int)),
			ForceSendFields: []string{"Enabled"},
		}
	}
	return wanted
}

func patchBackups(d *schema.ResourceData, config *transport.Config, wanted *sqladmin.Settings, timeout string) error {
	if !wanted.RetainBackupsOnDelete && wanted.FinalBackupConfig == nil && !d.HasChange("settings.0."+retainKey) {
		return nil
	}
	project, err := tpgresource.GetProject(d, config)
	if err != nil {
		return err
	}
	instances := config.NewSqlAdminClient(config.UserAgent).Instances
	patch := &sqladmin.DatabaseInstance{Settings: wanted}
	operation, err := instances.Patch(project, d.Get("name").(string), patch).Do()
	if err != nil {
		return err
	}
	return sql.SqlAdminOperationWaitTime(
		config, operation, project, "Patch Instance", config.UserAgent, d.Timeout(timeout))
}

func readBackups(d *schema.ResourceData, config *transport.Config) error {
	project, err := tpgresource.GetProject(d, config)
	if err != nil {
		return err
	}
	instance, err := config.NewSqlAdminClient(config.UserAgent).Instances.Get(project, d.Get("name").(string)).Do()
	if err != nil {
		return err
	}
	settings := d.Get("settings").([]any)
	found := settings[0].(map[string]any)
	found[retainKey] = instance.Settings.RetainBackupsOnDelete
	found[finalKey] = nil
	if final := instance.Settings.FinalBackupConfig; final != nil {
		found[finalKey] = []any{map[string]any{"enabled": final.Enabled, "retention_days": int(final.RetentionDays)}}
	}
	found["version"] = int(instance.Settings.SettingsVersion) // the patch has raised it
	return d.Set("settings", settings)
}
