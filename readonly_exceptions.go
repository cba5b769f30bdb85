package tencenthttp

// readExceptions are the actions, as service:Action, whose name begins like that of a read, but that should not run twice without
// the caller's consent. Sorted. Source: testdata/readonly_exceptions.csv, drawn from the actions of the Tencent Cloud Go SDK.
var readExceptions = []string{
	"aa:QueryActivityAntiRush",                       // is billed by the call
	"aa:QueryActivityAntiRushAdvanced",               // is billed by the call
	"af:QueryAntiFraud",                              // is billed by the call
	"afc:QueryAntiFraudVip",                          // is billed by the call
	"captcha:DescribeCaptchaMiniResult",              // acts on something outside
	"captcha:DescribeCaptchaMiniRiskResult",          // acts on something outside
	"captcha:DescribeCaptchaResult",                  // acts on something outside
	"cpdp:QueryMemberTransaction",                    // changes something
	"cwp:DescribeAgentInstallationToken",             // makes a new credential
	"cwp:DescribeDirectConnectInstallCommand",        // makes a new credential
	"cwp:DescribeExportMachines",                     // starts a job
	"faceid:GetActionSequence",                       // makes a new credential
	"faceid:GetEidToken",                             // makes a new credential
	"faceid:GetFaceIdToken",                          // makes a new credential
	"faceid:GetLiveCode",                             // makes a new credential
	"faceid:GetRealNameAuthToken",                    // makes a new credential
	"gaap:DescribeAuthSignature",                     // makes a new credential
	"gse:GetInstanceAccess",                          // makes a new credential
	"gse:GetUploadCredentials",                       // makes a new credential
	"gse:GetUploadFederationToken",                   // makes a new credential
	"iot:GetDeviceSignatures",                        // makes a new credential
	"iotvideo:DescribeStream",                        // acts on something outside
	"kms:GetParametersForImport",                     // makes a new credential
	"lp:QueryLoginProtection",                        // is billed by the call
	"npp:GetVirtualNum",                              // changes something
	"ocr:QueryBarCode",                               // is billed by the call
	"rkp:GetToken",                                   // makes a new credential
	"rkp:QueryDevAndRisk",                            // is billed by the call
	"rp:QueryRegisterProtection",                     // is billed by the call
	"sts:GetFederationToken",                         // makes a new credential
	"sts:GetSessionToken",                            // makes a new credential
	"tcss:DescribeAccessControlEventsExport",         // starts a job
	"tcss:DescribeAssetImageRegistryListExport",      // starts a job
	"tcss:DescribeAssetImageRegistryRiskListExport",  // starts a job
	"tcss:DescribeAssetImageRegistryVirusListExport", // starts a job
	"tcss:DescribeAssetImageRegistryVulListExport",   // starts a job
	"tcss:DescribeAssetImageRiskListExport",          // starts a job
	"tcss:DescribeAssetImageVirusListExport",         // starts a job
	"tcss:DescribeAssetImageVulListExport",           // starts a job
	"tcss:DescribeReverseShellEventsExport",          // starts a job
	"tcss:DescribeRiskSyscallEventsExport",           // starts a job
	"tcss:DescribeSearchExportList",                  // starts a job
	"vod:DescribeAigcFaceInfoAsync",                  // starts a job
	"vod:DescribeFileAttributes",                     // starts a job
	"vpc:DescribeAddressTemplateGroupInstances",      // starts a job
	"vpc:DescribeAddressTemplateInstances",           // starts a job
	"vpc:DescribeServiceTemplateGroupInstances",      // starts a job
	"vpc:DescribeServiceTemplateInstances",           // starts a job
	"waf:DescribeLLMContentSecCheck",                 // is billed by the call
	"waf:DescribeQClawContentSecCheck",               // is billed by the call
	"wedata:DescribeOfflineTaskToken",                // makes a new credential
	"wedata:GetCosToken",                             // makes a new credential
}
