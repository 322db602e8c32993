class V4__c {}
