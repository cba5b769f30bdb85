package tencenthttp

// codeExceptions are the codes whose meaning neither their words nor their first segment tell. Each is also the verdict on its own
// sub-codes. A test holds that the rules alone would judge every one of them otherwise.
// Source: the descriptions of the error codes of the Tencent Cloud Go SDK, of which the remarks are the gist.
var codeExceptions = []codeEntry[Verdict]{
	{"FailedOperation.AsyncEventStatus", busy},                     // the asynchronous event does not allow it now, try later
	{"FailedOperation.CLSResourcesNotFound", busy},                 // the log topic is being emptied
	{"FailedOperation.ClientTokenInUse", busy},                     // the resource is being created
	{"FailedOperation.Cls", faultMidway},                           // a call to CLS failed
	{"FailedOperation.Cos", faultMidway},                           // a call to COS failed
	{"FailedOperation.DeleteResourceFailed", fatal},                // the certificate is bound to a resource
	{"FailedOperation.ErrorFilter", fatal},                         // the rule does not match the event
	{"FailedOperation.FunctionStatusError", busy},                  // the function is being deployed
	{"FailedOperation.InvalidImageState", busy},                    // the image is busy, try later
	{"FailedOperation.LabRunning", busy},                           // the laboratory is running, try later
	{"FailedOperation.OperationNotAllowedInInstanceLocking", busy}, // the instance is locked
	{"FailedOperation.PaySuccDeliverFailed", fatal},                // paid but not delivered, a person has to help
	{"FailedOperation.RevokeResourceFailed", fatal},                // the certificate is bound to a resource
	{"FailedOperation.SendVerifyCodeIsLimited", throttled},         // verification codes were sent too often
	{"FailedOperation.SetCustomPathMappingError", fatal},           // the domain uses the default mapping
	{"FailedOperation.Unknown", mayHaveRun},                        // an operation error of unknown kind
	{"FailedOperation.UpdateTriggerStatus", fatal},                 // the status is that already
	{"FailedOperation.Vpc", faultMidway},                           // a call to VPC failed
	{"InternalError.CheckAppIdFailed", fatal},                      // the AppId is wrong
	{"InternalError.CheckQuotaErr", fatal},                         // not enough resources
	{"InternalError.ChineseCharacterDetected", fatal},              // no such domain names
	{"InternalError.ClusterUpgradeNodeVersion", fatal},             // a node is too old
	{"InternalError.DomainIsFamous", fatal},                        // the domain belongs to somebody else
	{"InternalError.IllegalMessage", serverFault},                  // "internal error" is all that it says
	{"InternalError.JsonParseFail", fatal},                         // the parameters are no JSON
	{"InternalError.RegexpCompileError", fatal},                    // the expression is wrong
	{"InternalError.RequestTimeException", fatal},                  // the caller's clock is off
	{"InternalError.RetreateTime", fatal},                          // no rollback to that time
	{"InternalError.TaskLifeStateError", fatal},                    // the task is in a state that does not allow it
	{"InvalidParameter.ActionInProgress", throttled},               // "operated too frequently", whatever the name says
	{"InvalidParameter.BatchLimitUndo", busy},                      // a batch is not done yet
	{"InvalidParameter.Common", throttled},                         // operated too frequently
	{"InvalidParameter.LineGroupUpdateFailed", faultMidway},        // an internal error
	{"InvalidParameter.OperateFailed", mayHaveRun},                 // failed, try later
	{"InvalidParameter.OverLimit", throttled},                      // over the frequency limit
	{"InvalidParameter.SkillScanCreateScanFailed", faultMidway},    // an internal error
	{"InvalidParameter.SkillScanQueryFailed", faultMidway},         // an internal error
	{"InvalidParameter.SkillScanTriggerFailed", faultMidway},       // an internal error
	{"InvalidParameterValue.InvalidImageState", busy},              // another operation has the image
	{"LimitExceeded.ExportImageTaskLimitExceeded", throttled},      // too many exports at a time, wait for one to end
	{"LimitExceeded.IndexOperating", throttled},                    // over the frequency limit
	{"LimitExceeded.LogSearch", throttled},                         // too many searches at a time
	{"LimitExceeded.MaximumRunningTask", throttled},                // too many tasks at a time
	{"LimitExceeded.ReceiverDetailRequestLimit", fatal},            // too many addresses in one request
	{"LimitExceeded.RequestBacklogExceedsLimit", throttled},        // requests have piled up
	{"LimitExceeded.TagQuotaLimitExceeded", throttled},             // over the tag service's frequency limit
	{"OperationDenied.AccelerationDomainStatusNotInOnline", busy},  // being deployed
	{"OperationDenied.ConflictStatus", busy},                       // the group is being changed
	{"OperationDenied.ProductUpdating", fatal},                     // the domain moves to another product
	{"OperationDenied.QueryAuditLogsError", faultMidway},           // the look-up failed
	{"OperationDenied.UserMigrating", fatal},                       // the account moves to another product
	{"RequestLimitExceeded.BatchTaskLimit", fatal},                 // 80 tasks an hour
	{"RequestLimitExceeded.RepeatRequest", busy},                   // the same request is under way
	{"ResourceInUse.Diagnose", busy},                               // a diagnosis is under way
	{"ResourceInsufficient.Overwork", throttled},                   // too many tasks at a time, submit later
	{"ResourceNotFound.EksResourceNotFound", busy},                 // the cluster is being set up
	{"ResourceUnavailable.DomainIpv6InConfigErr", busy},            // the network is being set up
	{"ResourceUnavailable.InstanceUnLockedError", busy},            // the instance is locked: a slip in the name
	{"UnauthorizedOperation.AccessKmsError", faultMidway},          // a call to KMS failed
	{"UnauthorizedOperation.CamGeneralError", faultMidway},         // a call to CAM failed
	{"UnauthorizedOperation.Unknown", faultMidway},                 // an unknown error of the server
	{"UnsupportedOperation.DeleteVpnConnInvalidState", busy},       // the channel is being changed
	{"UnsupportedOperation.ImageOccupied", busy},                   // another operation has the image
	{"UnsupportedOperation.Inspection", busy},                      // an inspection is under way
	{"UnsupportedOperation.InvalidLifecycleDataTaskStatus", busy},  // a task is under way
	{"UnsupportedOperation.TagAllocate", busy},                     // the tag is being allocated
	{"UnsupportedOperation.TagFree", busy},                         // the tag is being released
}
